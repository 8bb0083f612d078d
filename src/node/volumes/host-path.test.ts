import assert from 'node:assert/strict';
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { temporaryFolder } from '../../base/testing/temporary-folder.ts';
import { checkHostPath } from './host-path.ts';

test('each type accepts what it names, by way of links too', async (t) => {
	const folder = temporaryFolder(t);
	const at = (name: string): string => join(folder, name);
	mkdirSync(at('d'));
	writeFileSync(at('f'), '');
	symlinkSync(at('d'), at('link'));
	const server = createServer().listen(at('s'));
	t.after(() => server.close());
	await new Promise((resolve) => server.once('listening', resolve));
	await checkHostPath(at('nothing'), '');
	await checkHostPath(at('d'), 'Directory');
	await checkHostPath(at('link'), 'DirectoryOrCreate');
	await checkHostPath(at('f'), 'File');
	await checkHostPath(at('f'), 'FileOrCreate');
	await checkHostPath(at('s'), 'Socket');
	await checkHostPath('/dev/null', 'CharDevice');
	await checkHostPath(at('new/dir'), 'DirectoryOrCreate');
	await checkHostPath(at('new/file'), 'FileOrCreate');
	assert.equal(statSync(at('new/dir')).isDirectory(), true);
	assert.equal(statSync(at('new/file')).size, 0);
});

test('anything else has upstream’s message', async (t) => {
	const folder = temporaryFolder(t);
	const file = join(folder, 'f');
	writeFileSync(file, '');
	const none = join(folder, 'none');
	const unknown = `unable to determine its type: path "${none}" does not exist`;
	const failed = 'hostPath type check failed';
	const wrong: readonly (readonly [string, string, string])[] = [
		[file, 'Directory', `${failed}: ${file} is not a directory, it's a File`],
		[file, 'DirectoryOrCreate', `${failed}: ${file} is not a directory, it's a File`],
		[folder, 'File', `${failed}: ${folder} is not a file, it's a Directory`],
		[folder, 'FileOrCreate', `${failed}: ${folder} is not a file, it's a Directory`],
		[none, 'Directory', `${failed}, ${none} is not a directory, ${unknown}`],
		[none, 'Socket', `${failed}, ${none} is not a socket file, ${unknown}`],
		['/dev/null', 'BlockDevice', `${failed}: /dev/null is not a block device, it's a CharDevice`],
		[file, 'CharDevice', `${failed}: ${file} is not a character device, it's a File`],
		[join(none, 'f'), 'FileOrCreate', `open ${join(none, 'f')}: no such file or directory`],
		['/a/../b', '', "invalid HostPath `/a/../b`: must not contain '..'"],
		[file, 'Pipe', 'Pipe is an invalid volume type'],
	];
	for (const [path, type, message] of wrong) await assert.rejects(checkHostPath(path, type), { message });
});
