import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProgram } from './programs.ts';

test('a program is found in the first absolute folder where this user may execute it', (t) => {
	const root = mkdtempSync(join(tmpdir(), 'stint-programs-'));
	t.after(() => rmSync(root, { recursive: true }));
	for (const [folder, mode] of [
		['a', 0o644],
		['b', 0o755],
		['c', 0o755],
	] as const) {
		mkdirSync(join(root, folder));
		writeFileSync(join(root, folder, 'program'), '', { mode });
	}
	const path = ['.', '', 'b', ...['none', 'a', 'b', 'c'].map((folder) => join(root, folder))].join(':');
	assert.equal(findProgram('program', path), join(root, 'b', 'program'));
	assert.equal(findProgram('other', path), undefined);
});
