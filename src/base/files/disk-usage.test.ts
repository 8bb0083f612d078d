import assert from 'node:assert/strict';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { diskUsage } from './disk-usage.ts';

test('the blocks of all files count, those with several links once, and links to elsewhere not', async (t) => {
	const root = temporaryFolder(t);
	const empty = await diskUsage(root);
	assert.equal(empty.inodes, 1);
	mkdirSync(join(root, 'd'));
	writeFileSync(join(root, 'd/large'), Buffer.alloc(1024 * 1024, 1));
	linkSync(join(root, 'd/large'), join(root, 'again'));
	symlinkSync('/usr', join(root, 'link'));
	const { usedBytes, inodes } = await diskUsage(root);
	const grown = usedBytes - empty.usedBytes;
	assert.ok(grown >= 1024 * 1024 && grown < 1.5 * 1024 * 1024, String(grown));
	assert.equal(inodes, 4);
	assert.deepEqual(await diskUsage(join(root, 'none')), { usedBytes: 0, inodes: 0 });
});
