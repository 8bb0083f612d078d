import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import test from 'node:test';
import { DOCUMENTS } from './pod-fields.ts';

for (const { path, render } of DOCUMENTS) {
	test(`${basename(path)} says of each field of a Pod what the table says`, () => {
		const text = readFileSync(path, 'utf8');
		assert.equal(text, render(text), 'node tools/pod-fields.ts writes it anew');
	});
}
