import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { cliContext } from './cli-context.ts';
import { DataFolderError, dataFolder, makeDataFolder } from './data-folder.ts';

function scratch(t: TestContext): string {
	const root = mkdtempSync(join(tmpdir(), 'stint-data-folder-'));
	t.after(() => rmSync(root, { recursive: true }));
	return root;
}

test('a data folder is made for its owner only, and one that others could read is closed', (t) => {
	const path = join(scratch(t), 'deep/down');
	makeDataFolder(dataFolder(path));
	chmodSync(path, 0o755);
	makeDataFolder(dataFolder(path));
	for (const each of [path, join(path, 'logs'), join(path, 'runtime')])
		assert.equal(statSync(each).mode & 0o777, 0o700, each);
});

test('a data folder that cannot be is told at once: which path, and why', { timeout: 10_000 }, (t) => {
	const file = join(scratch(t), 'file');
	writeFileSync(file, '');
	for (const [path, reason] of [
		[file, 'not a directory'],
		[join(file, 'below'), 'not a directory'],
		['/proc/nothing', 'no such file or directory'],
	] as const) {
		assert.throws(
			() => makeDataFolder(dataFolder(path)),
			(error) => {
				assert.ok(error instanceof DataFolderError);
				assert.equal(
					error.message,
					`the data folder ${path} cannot be used: ${reason}; choose another with --data-dir`,
				);
				return true;
			},
		);
	}
});

test('a kubeconfig that cannot be read is no missing one', async (t) => {
	const folder = scratch(t);
	await assert.rejects(cliContext().connect(folder), {
		message: `the kubeconfig ${folder} cannot be read: illegal operation on a directory`,
	});
	const missing = join(folder, 'missing');
	await assert.rejects(cliContext().connect(missing), {
		message: `the kubeconfig ${missing} cannot be read: no such file or directory`,
	});
});
