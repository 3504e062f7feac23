"""What libraries say in English that comes before people: their most usual sentences.

They are not ours, and may be worded otherwise in a library's next version: then they are quoted.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CALLED_WRONGLY", "FOUND"]

FOUND: Final = (
    "Element '{element}': This element is not expected.",
    "Element '{element}': This element is not expected. Expected is ( {expected} ).",
    "Element '{element}': This element is not expected. Expected is one of ( {expected} ).",
    "Element '{element}': Missing child element(s). Expected is ( {expected} ).",
    "Element '{element}': Missing child element(s). Expected is one of ( {expected} ).",
    (
        "Element '{element}': [facet 'enumeration'] The value '{value}' is not an element of the "
        "set {{{values}}}."
    ),
    (
        "Element '{element}': [facet 'pattern'] The value '{value}' is not accepted by the pattern "
        "'{pattern}'."
    ),
    "Element '{element}': '{value}' is not a valid value of the atomic type '{type}'.",
    "Element '{element}': '{value}' is not a valid value of the local atomic type.",
    (
        "Element '{element}': Character content other than whitespace is not allowed because the "
        "content type is 'element-only'."
    ),
    (
        "Element '{element}': Element content is not allowed, because the content type is a simple "
        "type definition."
    ),
    "Element '{element}', attribute '{attribute}': The attribute '{same}' is not allowed.",
    "{message}, line {line}, column {column}",
    "Document is empty",
    "Entity '{entity}' not defined",
    "Extra content at the end of the document",
    "Opening and ending tag mismatch: {tag} line {line} and {other}",
    "Premature end of data in tag {tag} line {line}",
    "Start tag expected, '<' not found",
    "StartTag: invalid element name",
    "xmlParseEntityRef: no name",
    "Extra inputs are not permitted",
    "Field required",
    "Input should be a valid boolean, unable to interpret input",
    "Input should be a valid integer, unable to parse string as an integer",
    "Input should be a valid number, unable to parse string as a number",
    "Input should be greater than or equal to {limit}",
    "Input should be greater than {limit}",
    "Input should be less than or equal to {limit}",
    "Input should be {expected}",
    "String should have at least {limit} characters",
    "String should have at most {limit} characters",
    "String should match pattern '{pattern}'",
    "Value error, {message}",
    "mismatched tag",
    "no element found",
    "not well-formed (invalid token)",
    "unclosed token",
    "junk after document element",
    "duplicate attribute",
    "unbound prefix",
    "undefined entity",
)
"""What libxml2 (xmlschemas.c, parser.c), expat (xmlparse.c) and pydantic say most often."""

CALLED_WRONGLY: Final = (
    'Command "{command}" parameter {parameter} requires an argument.',
    'Invalid value "{value}" for {option}. Choose from: {choices}.',
    'Invalid value for {option}: unable to convert "{value}" into {type}.',
    'Unknown command "{command}". Available commands: {commands}',
    'Unknown command "{command}". Did you mean "{meant}"? Available commands: {commands}',
    "Unknown option: {option}.",
    "Unknown option: {option}. Did you mean {meant}?",
    "Unused Tokens: {tokens}.",
)
"""What Cyclopts (exceptions.py) says of a command that is called wrongly."""
