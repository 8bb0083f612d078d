import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { programName } from './program-name.ts';

test('the program name is the path that the user typed, or `stint` if the PATH finds the same file', (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'stint-name-'));
	t.after(() => rmSync(folder, { recursive: true }));
	for (const name of ['bin', 'other', 'my checkout']) mkdirSync(join(folder, name));
	const checkout = join(folder, 'my checkout', 'stint');
	writeFileSync(checkout, '');
	writeFileSync(join(folder, 'other', 'stint'), '');
	symlinkSync(checkout, join(folder, 'bin', 'stint'));
	const onPath = `/nowhere:${join(folder, 'bin')}:${join(folder, 'other')}`;
	assert.equal(programName({}), 'stint');
	assert.equal(programName({ STINT_COMMAND: './stint', PATH: onPath }), './stint');
	assert.equal(programName({ STINT_COMMAND: '../x/stint' }), '../x/stint');
	assert.equal(programName({ STINT_COMMAND: checkout, PATH: '/nowhere' }), `'${checkout}'`);
	assert.equal(programName({ STINT_COMMAND: join(folder, 'bin', 'stint'), PATH: onPath }), 'stint');
	// stat() fails for such an entry, as for a folder of another user.
	symlinkSync('loop', join(folder, 'loop'));
	const unreadable = `${join(folder, 'loop')}:${onPath}`;
	assert.equal(programName({ STINT_COMMAND: join(folder, 'bin', 'stint'), PATH: unreadable }), 'stint');
	const hidden = join(folder, 'other', 'stint');
	assert.equal(programName({ STINT_COMMAND: hidden, PATH: onPath }), hidden);
});
