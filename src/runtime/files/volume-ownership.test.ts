import assert from 'node:assert/strict';
import { chmodSync, lstatSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { temporaryFolder } from '../../base/testing/temporary-folder.ts';
import { setVolumeOwnership } from './volume-ownership.ts';

const AS_ROOT = { skip: process.geteuid?.() === 0 ? false : 'needs root' };
const GROUP = 4321;

/** A volume with a file, a folder and a link to a file outside. */
function volume(t: TestContext): { readonly root: string; readonly outside: string } {
	const folder = temporaryFolder(t);
	const [root, outside] = [join(folder, 'volume'), join(folder, 'outside')];
	mkdirSync(join(root, 'dir'), { recursive: true });
	writeFileSync(join(root, 'dir/file'), 'x');
	chmodSync(join(root, 'dir/file'), 0o600);
	chmodSync(join(root, 'dir'), 0o700);
	chmodSync(root, 0o755);
	writeFileSync(outside, '');
	chmodSync(outside, 0o600);
	symlinkSync(outside, join(root, 'link'));
	return { root, outside };
}

const groupAndMode = (path: string): readonly [number, string] => {
	const { gid, mode } = lstatSync(path);
	return [gid, (mode & 0o7777).toString(8)];
};

test(
	'everything in the volume gets the group and the permissions that it needs, and no link is followed',
	AS_ROOT,
	async (t) => {
		const { root, outside } = volume(t);
		await setVolumeOwnership(root, { group: GROUP, readOnly: false });
		assert.deepEqual(groupAndMode(root), [GROUP, '2775']);
		assert.deepEqual(groupAndMode(join(root, 'dir')), [GROUP, '2770']);
		assert.deepEqual(groupAndMode(join(root, 'dir/file')), [GROUP, '660']);
		assert.equal(lstatSync(join(root, 'link')).gid, GROUP);
		assert.deepEqual(groupAndMode(outside), [statSync('/').gid, '600']);
	},
);

test('a read-only volume gets only the permissions to read', AS_ROOT, async (t) => {
	const { root } = volume(t);
	chmodSync(join(root, 'dir/file'), 0o400);
	await setVolumeOwnership(root, { group: GROUP, readOnly: true });
	assert.deepEqual(groupAndMode(join(root, 'dir/file')), [GROUP, '440']);
	assert.deepEqual(groupAndMode(join(root, 'dir')), [GROUP, '2750']);
});

test('with OnRootMismatch the contents are changed only if the root differs', AS_ROOT, async (t) => {
	const { root } = volume(t);
	const options = { group: GROUP, readOnly: false, policy: 'OnRootMismatch' } as const;
	await setVolumeOwnership(root, options);
	writeFileSync(join(root, 'late'), '');
	chmodSync(join(root, 'late'), 0o600);
	await setVolumeOwnership(root, options);
	assert.equal(groupAndMode(join(root, 'late'))[1], '600');
	await setVolumeOwnership(root, { ...options, policy: 'Always' });
	assert.equal(groupAndMode(join(root, 'late'))[1], '660');
});

test('a user who may not change the group leaves the files as they are', {
	skip: process.geteuid?.() === 0 ? 'is root' : false,
}, async (t) => {
	const { root } = volume(t);
	await setVolumeOwnership(root, { group: GROUP, readOnly: false });
	assert.notEqual(groupAndMode(root)[0], GROUP);
});

test('files whose names are no text get the group too', AS_ROOT, async (t) => {
	const { root } = volume(t);
	const odd = Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0xff)]);
	writeFileSync(odd, '');
	await setVolumeOwnership(root, { group: GROUP, readOnly: false });
	assert.equal(lstatSync(odd).gid, GROUP);
});
