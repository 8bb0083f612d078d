import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { SystemClock } from '../../base/clock.ts';
import { FolderWatch } from './folder-watch.ts';

/** A watch of a folder two levels below an existing one. */
function open(t: test.TestContext) {
	const root = mkdtempSync(join(tmpdir(), 'stint-watch-'));
	const folder = join(root, 'pod', 'container');
	let woken = Promise.withResolvers<void>();
	const watch = new FolderWatch(folder, new SystemClock(), () => woken.resolve());
	t.after(() => {
		watch.close();
		rmSync(root, { recursive: true, force: true });
	});
	/** Performs a change; resolves once the watch has reported it. */
	const noticed = async (act: () => void): Promise<void> => {
		woken = Promise.withResolvers<void>();
		act();
		await woken.promise;
	};
	return { root, folder, noticed };
}

test('the watch reports a file in a folder created after the watch', async (t) => {
	const { folder, noticed } = open(t);
	await noticed(() => mkdirSync(folder, { recursive: true }));
	await noticed(() => writeFileSync(join(folder, '0.log'), 'one'));
	await noticed(() => writeFileSync(join(folder, '0.log'), 'two'));
});

test('the watch reports a folder and file created at once, and later writes', async (t) => {
	const { folder, noticed } = open(t);
	await noticed(() => {
		mkdirSync(folder, { recursive: true });
		writeFileSync(join(folder, '0.log'), 'one');
	});
	await noticed(() => writeFileSync(join(folder, '0.log'), 'two'));
});

test('the watch reports a folder that is removed and created again', async (t) => {
	const { root, folder, noticed } = open(t);
	await noticed(() => mkdirSync(folder, { recursive: true }));
	await noticed(() => rmSync(join(root, 'pod'), { recursive: true }));
	await noticed(() => mkdirSync(folder, { recursive: true }));
	await noticed(() => writeFileSync(join(folder, '0.log'), 'one'));
});
