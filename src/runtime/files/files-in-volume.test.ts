import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { temporaryFolder } from '../../base/testing/temporary-folder.ts';
import { makeSubPath, textInVolume } from './files-in-volume.ts';

test('a text is read only from a regular file that is reached without a link', async (t) => {
	const root = temporaryFolder(t);
	mkdirSync(join(root, 'a/b'), { recursive: true });
	writeFileSync(join(root, 'a/b/x.env'), "A='1'");
	writeFileSync(join(root, 'large'), 'x'.repeat(1024 * 1024 + 1));
	symlinkSync('/etc/passwd', join(root, 'file-link'));
	symlinkSync('/etc', join(root, 'folder-link'));
	assert.equal(await textInVolume(root, 'a//b/./x.env'), "A='1'");
	for (const path of ['a', 'none', 'file-link', 'folder-link/passwd', 'a/b/x.env/y', 'large', ''])
		assert.equal(await textInVolume(root, path), undefined, path);
	await assert.rejects(textInVolume(root, '../x'));
});

test('the folders of a sub-path get the permissions of the volume, and no link is followed', async (t) => {
	const folder = temporaryFolder(t);
	const [root, outside] = [join(folder, 'root'), join(folder, 'outside')];
	mkdirSync(root);
	mkdirSync(outside);
	chmodSync(root, 0o2775);
	symlinkSync(outside, join(root, 'link'));
	writeFileSync(join(root, 'file'), '');
	await makeSubPath(root, 'a/b');
	await makeSubPath(root, 'a/b/c');
	symlinkSync('a', join(root, 'inside'));
	symlinkSync('nowhere', join(root, 'dangling'));
	for (const path of ['link', 'link/x']) assert.equal(await makeSubPath(root, path), false);
	assert.equal(await makeSubPath(root, 'inside/b'), true);
	await assert.rejects(makeSubPath(root, 'dangling'), { code: 'ENOENT' });
	await makeSubPath(root, 'file');
	await makeSubPath(join(root, 'file'), 'x');
	assert.deepEqual(readdirSync(outside), []);
	for (const path of ['a', 'a/b', 'a/b/c']) assert.equal(statSync(join(root, path)).mode & 0o7777, 0o2775);
	await assert.rejects(makeSubPath(root, '../x'));
});
