import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { RemovableFolder } from './removable-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'stint-removable-'));
after(() => rmSync(root, { recursive: true }));

function make(name: string): string {
	const path = join(root, name);
	mkdirSync(path);
	writeFileSync(join(path, 'file'), 'text');
	return path;
}

test('a folder is removed with its content', async () => {
	const path = make('own');
	await new RemovableFolder(path).remove();
	assert.equal(existsSync(path), false);
});

test('a folder that replaced the recorded one, or was created later, is not removed', async () => {
	const path = make('replaced');
	const removable = new RemovableFolder(path);
	renameSync(path, `${path}.before`);
	make('replaced');
	await removable.remove();
	assert.ok(existsSync(join(path, 'file')));
	const absent = new RemovableFolder(join(root, 'late'));
	const late = make('late');
	await absent.remove();
	assert.ok(existsSync(late));
});
