import assert from 'node:assert/strict';
import {
	chmodSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	renameSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LAUNCHER_LOCK } from '../node/runtime/process/launcher-lock.ts';
import { JOURNAL_NAME, SOCKET_NAME } from '../node/runtime/process/protocol.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { cliContext } from './cli-context.ts';
import { dataFolder, openDataFolder } from './data-folder.ts';

const LAUNCHER = [LAUNCHER_LOCK, JOURNAL_NAME, SOCKET_NAME];

function temporary(t: TestContext): string {
	const path = mkdtempSync(join(tmpdir(), 'stint-data-'));
	t.after(() => rmSync(path, { recursive: true, force: true }));
	return path;
}

/** A folder in which a launcher has worked. */
function usedFolder(path: string): void {
	const folder = dataFolder(path);
	openDataFolder(folder, assert.fail);
	for (const name of LAUNCHER) writeFileSync(join(folder.runtime, name), 'of the launcher', { mode: 0o600 });
	mkdirSync(join(folder.runtime, 'sandboxes'));
}

test('the copy of a folder is told from the original, and knows nothing of its processes', (t) => {
	const [original, copy] = [join(temporary(t), 'original'), join(temporary(t), 'copy')];
	usedFolder(original);
	cpSync(original, copy, { recursive: true });
	const told: string[] = [];
	openDataFolder(dataFolder(copy), (from) => told.push(from));
	assert.deepEqual(told, [original]);
	for (const name of LAUNCHER) {
		assert.ok(!existsSync(join(dataFolder(copy).runtime, name)), name);
		assert.ok(existsSync(join(dataFolder(original).runtime, name)), name);
	}
	// It is a folder of its own from then on.
	openDataFolder(dataFolder(copy), assert.fail);
	openDataFolder(dataFolder(original), assert.fail);
});

test('a folder that is renamed, or that has no identity yet, stays what it is', (t) => {
	const [original, renamed] = [join(temporary(t), 'original'), join(temporary(t), 'renamed')];
	usedFolder(original);
	renameSync(original, renamed);
	openDataFolder(dataFolder(renamed), assert.fail);
	for (const damage of ['', 'null', '{"path":', '[]']) {
		writeFileSync(join(renamed, 'folder.json'), damage);
		openDataFolder(dataFolder(renamed), assert.fail);
	}
	rmSync(join(renamed, 'folder.json'));
	openDataFolder(dataFolder(renamed), assert.fail);
	for (const name of LAUNCHER) assert.ok(existsSync(join(dataFolder(renamed).runtime, name)), name);
});

test('a link in the place of anything that is written is refused, and what it leads to stays', (t) => {
	for (const name of ['pki', 'logs', 'runtime', 'state.db', 'state.db-wal', 'kubeconfig', 'folder.json']) {
		const path = temporary(t);
		openDataFolder(dataFolder(path), assert.fail);
		const target = join(temporary(t), 'target');
		writeFileSync(target, 'kept');
		rmSync(join(path, name), { recursive: true, force: true });
		symlinkSync(target, join(path, name));
		assert.throws(
			() => openDataFolder(dataFolder(path), assert.fail),
			new RegExp(`^UnusablePathError: ${join(path, name)} is a symbolic link`),
		);
	}
});

test('a kubeconfig that cannot be read is no missing one', async (t) => {
	const folder = temporary(t);
	await assert.rejects(cliContext().connect(folder), {
		message: `the kubeconfig ${folder} cannot be read: illegal operation on a directory`,
	});
	const missing = join(folder, 'missing');
	await assert.rejects(cliContext().connect(missing), {
		message: `the kubeconfig ${missing} cannot be read: no such file or directory`,
	});
});

test('a folder of ours that others can enter is told apart from one with other files', async (t) => {
	const path = join(temporary(t), 'data');
	const folder = dataFolder(path);
	openDataFolder(folder, assert.fail);
	const store = await openSqliteStore({ path: folder.database });
	await store.write({ type: 'create', key: '/a', value: new Uint8Array([1]) });
	await store.close();
	chmodSync(path, 0o777);
	assert.throws(() => openDataFolder(folder, assert.fail), /if all files in it are yours, run: chmod 700/);
	writeFileSync(join(path, 'thesis.txt'), '');
	assert.throws(() => openDataFolder(folder, assert.fail), /contains thesis.txt, which stint did not create/);
});
