import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SystemClock } from '../../../base/clock.ts';
import { temporaryFolder } from '../../../base/testing/temporary-folder.ts';
import { shimFile } from '../../process/shim/shim-file.ts';
import { ImageWorker } from './image-worker.ts';
import { userFiles } from './user-files.ts';

/** Containers have the ids from 1 on as these of the machine. */
const FIRST = 500_000;
const MAP = `0 0 1\n1 ${FIRST} 65535`;
const IDS = { uids: { first: FIRST, count: 65_535 }, gids: { first: FIRST, count: 65_535 } };
const outside = (id: number): number => FIRST + id - 1;

const skip = process.geteuid?.() === 0 && shimFile() !== undefined ? false : 'only root may map any id';

function open(t: TestContext) {
	const folder = temporaryFolder(t);
	const shim = shimFile() ?? '';
	const worker = new ImageWorker({
		clock: new SystemClock(),
		prefix: [shim, 'userns', MAP, MAP],
		settings: {
			store: join(folder, 'store'),
			shim,
			overlays: 'none',
			hasOwners: true,
			keepsBlobs: false,
			registriesPath: '',
			userAgent: '',
		},
		onError: (error) => assert.fail(error),
	});
	t.after(() => worker.stop());
	return { folder, worker, files: userFiles(worker, IDS) };
}

test('files are given to users and groups by the numbers of containers, and everything is seen and removed', {
	skip,
}, async (t) => {
	const { folder, worker, files } = open(t);
	const volume = join(folder, 'volume');
	mkdirSync(join(volume, 'private'), { recursive: true, mode: 0o700 });
	const token = join(volume, 'private/token');
	writeFileSync(token, 'x'.repeat(10_000), { mode: 0o600 });
	await files.giveTo(token, { user: 1000 });
	await files.setOwnership(volume, { group: 2000, readOnly: false });
	const { uid, gid, mode } = lstatSync(token);
	assert.deepEqual([uid, gid, (mode & 0o7777).toString(8)], [outside(1000), outside(2000), '660']);
	assert.equal(lstatSync(volume).gid, outside(2000));
	const { usedBytes, inodes } = await worker.call('usageOf', { path: volume });
	assert.deepEqual([inodes, usedBytes >= 10_000], [3, true]);
	assert.deepEqual(await files.usageOf(volume), { usedBytes, inodes });
	await worker.call('makeSubPath', { root: volume, below: 'private/made' });
	assert.equal(lstatSync(join(volume, 'private/made')).mode & 0o777, lstatSync(volume).mode & 0o777);
	assert.equal((await worker.call('textInVolume', { root: volume, below: 'private/token' }))?.length, 10_000);
	assert.equal(await files.textInVolume(volume, 'private/none'), undefined);
	await assert.rejects(files.giveTo(token, { user: 65_536 }), /cannot have the user 65536/);
	await worker.call('removeFiles', { path: join(volume, 'private') });
	assert.equal(existsSync(token), false);
	await files.remove(volume);
	await files.remove(volume);
	assert.equal(existsSync(volume), false);
	assert.equal(existsSync(join(folder, 'store')), false, 'none of this opens the store of images');
});
