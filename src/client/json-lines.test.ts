import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { JsonLines } from './json-lines.ts';

test('however the bytes are cut, the same values come out in the same order', () => {
	fc.assert(
		fc.property(
			fc.array(fc.oneof(fc.object(), fc.string({ unit: 'binary' }))),
			fc.array(fc.nat(12)),
			(values, cuts) => {
				const bytes = new TextEncoder().encode(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
				const lines = new JsonLines();
				const found: unknown[] = [];
				let at = 0;
				for (const cut of [...cuts, bytes.length]) {
					found.push(...lines.push(bytes.subarray(at, at + cut)));
					at += cut;
				}
				assert.equal(JSON.stringify(found), JSON.stringify(values));
				assert.equal(lines.unfinished, false);
			},
		),
	);
});

test('what has no line end yet is told apart from a clean end', () => {
	const lines = new JsonLines();
	assert.deepEqual(lines.push(new TextEncoder().encode('{"a":1}\n\n{"b"')), [{ a: 1 }]);
	assert.equal(lines.unfinished, true);
});

test('a line that is not JSON is an error', () => {
	assert.throws(() => new JsonLines().push(new TextEncoder().encode('nonsense\n')), SyntaxError);
});
