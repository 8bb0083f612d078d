import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { diskUsage } from './disk-usage.ts';
import { removeTree } from './remove-tree.ts';

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

test('names may be any bytes, and paths longer than the system takes', async (t) => {
	const root = temporaryFolder(t);
	const odd = Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0xff, 0x2f, 0x78)]);
	mkdirSync(odd.subarray(0, -2));
	writeFileSync(odd, Buffer.alloc(1024 * 1024, 1));
	assert.ok((await diskUsage(root)).usedBytes >= 1024 * 1024);
	makeDeep(root);
	assert.ok((await diskUsage(root)).usedBytes >= 2 * 1024 * 1024);
	await removeTree(root);
	assert.equal(existsSync(root), false);
});

/** A file of a MiB at a path of 8,000 bytes. */
function makeDeep(root: string): void {
	const script =
		'n=$(printf %0200d 7); i=0; while [ $i -lt 40 ]; do mkdir $n && cd -P ./$n || exit 1; i=$((i+1)); done; head -c 1048576 /dev/zero > x';
	execFileSync('bash', ['-c', script], { cwd: root });
}
