import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { SystemClock } from '../base/clock.ts';
import { FolderWatch } from './folder-watch.ts';

/** A watch of a folder two levels below one that exists. */
function open(t: test.TestContext) {
	const root = mkdtempSync(join(tmpdir(), 'stint-watch-'));
	const folder = join(root, 'pod', 'container');
	let woken = Promise.withResolvers<void>();
	const watch = new FolderWatch(folder, new SystemClock(), () => woken.resolve());
	t.after(() => {
		watch.close();
		rmSync(root, { recursive: true, force: true });
	});
	/** Performs an act and resolves once it was noticed. */
	const noticed = async (act: () => void): Promise<void> => {
		woken = Promise.withResolvers<void>();
		act();
		await woken.promise;
	};
	return { root, folder, noticed };
}

test('a file in a folder that was made after the watch is noticed', async (t) => {
	const { folder, noticed } = open(t);
	await noticed(() => mkdirSync(folder, { recursive: true }));
	await noticed(() => writeFileSync(join(folder, '0.log'), 'one'));
	await noticed(() => writeFileSync(join(folder, '0.log'), 'two'));
});

test('a folder and a file that are made at once are noticed, and what is written later too', async (t) => {
	const { folder, noticed } = open(t);
	await noticed(() => {
		mkdirSync(folder, { recursive: true });
		writeFileSync(join(folder, '0.log'), 'one');
	});
	await noticed(() => writeFileSync(join(folder, '0.log'), 'two'));
});

test('a folder that is removed and made again is noticed', async (t) => {
	const { root, folder, noticed } = open(t);
	await noticed(() => mkdirSync(folder, { recursive: true }));
	await noticed(() => rmSync(join(root, 'pod'), { recursive: true }));
	await noticed(() => mkdirSync(folder, { recursive: true }));
	await noticed(() => writeFileSync(join(folder, '0.log'), 'one'));
});
