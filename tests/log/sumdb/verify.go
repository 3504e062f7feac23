// Verify a log of ours with the code of Go's checksum database, which knows nothing of this project.
//
//	verify DIRECTORY VKEY < proofs.json
//
// DIRECTORY holds the log as files (C2SP tlog-tiles). The checkpoint's signature is checked by
// note.Open, the tree and its entries through tlog.TileHashReader, and the proofs that the hub
// made by tlog.CheckRecord and tlog.CheckTree; each of these proofs, with any one bit of a hash
// flipped, must fail. Printed is what was checked, or the first fault with exit code 1.
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Proofs are those that the hub made: bytes are base64, as JSON has them in Go.
type Proofs struct {
	Records []struct {
		Index int64
		Proof [][]byte
	}
	Trees []struct {
		Old   int64
		Root  []byte
		Proof [][]byte
	}
}

// files reads tiles. Their height is 8, which the paths of Go's own database say and ours do not.
type files struct{ directory string }

func (f files) Height() int { return 8 }

func (f files) SaveTiles([]tlog.Tile, [][]byte) {}

func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(tiles))
	for i, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(f.directory, path))
		if err != nil {
			return nil, err
		}
		found[i] = data
	}
	return found, nil
}

func (f files) entries(size int64) ([][]byte, error) {
	var found [][]byte
	for int64(len(found)) < size {
		tile := tlog.Tile{H: 8, L: 0, N: int64(len(found)) / 256, W: 256}
		if left := size - int64(len(found)); left < 256 {
			tile.W = int(left)
		}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(f.directory, path))
		if err != nil {
			return nil, err
		}
		for len(data) > 1 {
			end := 2 + int(binary.BigEndian.Uint16(data))
			if end > len(data) {
				return nil, fmt.Errorf("%s: an entry is cut off", path)
			}
			found = append(found, data[2:end])
			data = data[end:]
		}
	}
	return found, nil
}

// memory holds the hashes of a tree that was made from entries alone.
type memory []tlog.Hash

func (m memory) ReadHashes(places []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(places))
	for i, place := range places {
		found[i] = m[place]
	}
	return found, nil
}

func hash(data []byte) (h tlog.Hash) {
	copy(h[:], data)
	return h
}

func hashes(proof [][]byte) []tlog.Hash {
	found := make([]tlog.Hash, len(proof))
	for i, one := range proof {
		found[i] = hash(one)
	}
	return found
}

// flipped calls check with the proof, one bit of one hash flipped, for each hash in turn.
func flipped(proof []tlog.Hash, check func([]tlog.Hash) error) error {
	for i := range proof {
		changed := append([]tlog.Hash{}, proof...)
		changed[i][i%tlog.HashSize] ^= 1 << uint(i%8)
		if check(changed) == nil {
			return fmt.Errorf("a proof holds although hash %d of it was changed", i)
		}
	}
	return nil
}

func verify(directory, key string, proofs Proofs) error {
	signed, err := os.ReadFile(filepath.Join(directory, "checkpoint"))
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	var origin, written string
	var size int64
	if _, err := fmt.Sscanf(opened.Text, "%s\n%d\n%s\n", &origin, &size, &written); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	root, err := tlog.ParseHash(written)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if origin != verifier.Name() {
		return fmt.Errorf("checkpoint: of %s, not of %s", origin, verifier.Name())
	}

	tree := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, files{directory})
	made, err := tlog.TreeHash(size, tree)
	if err != nil {
		return fmt.Errorf("tree: %w", err)
	}
	if made != root {
		return fmt.Errorf("tree: comes to %s, not to %s", made, root)
	}
	entries, err := files{directory}.entries(size)
	if err != nil {
		return fmt.Errorf("entries: %w", err)
	}
	var stored memory
	for index, entry := range entries {
		more, err := tlog.StoredHashes(int64(index), entry, stored)
		if err != nil {
			return fmt.Errorf("entries: %w", err)
		}
		stored = append(stored, more...)
	}
	if made, err := tlog.TreeHash(size, stored); err != nil || made != root {
		return fmt.Errorf("entries: come to %s, not to %s (%v)", made, root, err)
	}
	for first := int64(0); first < size; first += 256 {
		var places []int64
		for index := first; index < size && index < first+256; index++ {
			places = append(places, tlog.StoredHashIndex(0, index))
		}
		leaves, err := tree.ReadHashes(places)
		if err != nil {
			return fmt.Errorf("tree: %w", err)
		}
		for i, leaf := range leaves {
			// The reader of x/mod 0.7 does not hold every full tile against the tree itself.
			if tlog.RecordHash(entries[first+int64(i)]) != leaf {
				return fmt.Errorf("tree: leaf %d is not its entry", first+int64(i))
			}
		}
	}

	for _, one := range proofs.Records {
		leaf := tlog.RecordHash(entries[one.Index])
		check := func(proof []tlog.Hash) error {
			return tlog.CheckRecord(proof, size, root, one.Index, leaf)
		}
		if err := check(hashes(one.Proof)); err != nil {
			return fmt.Errorf("proof of entry %d: %w", one.Index, err)
		}
		if err := flipped(hashes(one.Proof), check); err != nil {
			return fmt.Errorf("proof of entry %d: %w", one.Index, err)
		}
		theirs, err := tlog.ProveRecord(size, one.Index, tree)
		if err != nil || fmt.Sprint(theirs) != fmt.Sprint(hashes(one.Proof)) {
			return fmt.Errorf("proof of entry %d: Go makes another (%v)", one.Index, err)
		}
	}
	for _, one := range proofs.Trees {
		check := func(proof []tlog.Hash) error {
			return tlog.CheckTree(proof, size, root, one.Old, hash(one.Root))
		}
		if err := check(hashes(one.Proof)); err != nil {
			return fmt.Errorf("proof of the tree of %d: %w", one.Old, err)
		}
		if err := flipped(hashes(one.Proof), check); err != nil {
			return fmt.Errorf("proof of the tree of %d: %w", one.Old, err)
		}
	}
	fmt.Printf("%d entries, %d and %d proofs\n", size, len(proofs.Records), len(proofs.Trees))
	return nil
}

func main() {
	var proofs Proofs
	err := json.NewDecoder(os.Stdin).Decode(&proofs)
	if err == nil {
		err = verify(os.Args[1], os.Args[2], proofs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
