import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { JsonLines } from './json-lines.ts';

test('the values and their order do not depend on how the bytes are split into chunks', () => {
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

test('an incomplete line is distinguished from a clean end', () => {
	const lines = new JsonLines();
	assert.deepEqual(lines.push(new TextEncoder().encode('{"a":1}\n\n{"b"')), [{ a: 1 }]);
	assert.equal(lines.unfinished, true);
});

test('push() throws on a line that is not JSON', () => {
	assert.throws(() => new JsonLines().push(new TextEncoder().encode('nonsense\n')), SyntaxError);
});
