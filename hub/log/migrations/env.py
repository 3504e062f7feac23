"""How Alembic reaches the store: on the connection that `hub.log.schema` hands it."""

from alembic import context

from hub.log.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
