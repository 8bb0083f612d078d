import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import test from 'node:test';
import { DOCUMENTS } from './pod-fields.ts';

for (const { path, render } of DOCUMENTS) {
	test(`${basename(path)} matches the table of Pod fields`, () => {
		const text = readFileSync(path, 'utf8');
		assert.equal(text, render(text), 'run node tools/pod-fields.ts to update it');
	});
}
