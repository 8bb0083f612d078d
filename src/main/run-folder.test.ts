import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { LAUNCHER_LOCK } from '../runtime/process/launcher/launcher-files.ts';
import { identify, processSpace } from '../runtime/process/launcher/process-table.ts';
import { makeRunFolder } from './run-folder.ts';
import { dataFolder } from './server/data-folder.ts';

/** Sets $TMPDIR to a folder of the test. */
function ownTemporary(t: test.TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), 'stint-run-folder-'));
	const before = process.env.TMPDIR;
	process.env.TMPDIR = folder;
	t.after(() => {
		if (before === undefined) delete process.env.TMPDIR;
		else process.env.TMPDIR = before;
		rmSync(folder, { recursive: true });
	});
	return folder;
}

const identity = identify(process.pid, Date.now());
const running = `${JSON.stringify(identity)}\n${processSpace()}`;
const ended = `${JSON.stringify({ ...identity, start: '1', startedAt: 0 })}\n${processSpace()}`;

test('makeRunFolder removes the folders of killed runs and keeps all others', async (t) => {
	const temporary = ownTemporary(t);
	const make = (name: string, files: Record<string, string>): string => {
		const path = join(temporary, name);
		mkdirSync(dataFolder(path).runtime, { recursive: true });
		for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
		return path;
	};
	const killed = make('stint-run-killed', { owner: ended });
	const kept = [
		make('stint-run-alive', { owner: running }),
		make('stint-run-elsewhere', { owner: ended.replace(/\n.*/, '\nanother boot, another namespace') }),
		make('stint-run-nobodys', {}),
		make('stint-run-damaged', { owner: 'null' }),
		make('another', { owner: ended }),
		make('stint-run-ending', { owner: ended, [join('runtime', LAUNCHER_LOCK)]: JSON.stringify(identity) }),
	];
	symlinkSync(join(temporary, 'another'), join(temporary, 'stint-run-link'));
	const own = await makeRunFolder(Date.now());
	assert.equal(existsSync(killed), false);
	for (const path of [...kept, own]) assert.ok(existsSync(path), path);
	assert.equal(readdirSync(temporary).length, kept.length + 2);
	await makeRunFolder(Date.now());
	assert.ok(existsSync(own), 'the folder of this process');
});

test('the error for an unusable folder for temporary files has its path and the reason', async (t) => {
	const temporary = ownTemporary(t);
	process.env.TMPDIR = join(temporary, 'missing');
	await assert.rejects(makeRunFolder(Date.now()), {
		message: `the folder for temporary files, ${temporary}/missing, cannot be used: no such file or directory; choose another with $TMPDIR`,
	});
});
