import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { CommandError } from '../cli/context.ts';
import { listManifests, readManifestFile } from './manifest-files.ts';

function folder(t: TestContext): string {
	const path = mkdtempSync(join(tmpdir(), 'stint-'));
	t.after(() => rmSync(path, { recursive: true }));
	return path;
}

test('the manifests of a folder include targets of links and are sorted', async (t) => {
	const path = folder(t);
	for (const name of ['b.yaml', 'a.json', 'c.yml', 'notes.txt']) writeFileSync(join(path, name), '');
	mkdirSync(join(path, 'd.yaml'));
	symlinkSync('b.yaml', join(path, 'e.yaml'));
	symlinkSync('nowhere', join(path, 'f.yaml'));
	const names = (await listManifests(path))?.map((file) => file.slice(path.length + 1));
	assert.deepEqual(names, ['a.json', 'b.yaml', 'c.yml', 'e.yaml', 'f.yaml']);
	assert.equal(await listManifests(join(path, 'b.yaml')), undefined);
	assert.equal(await listManifests(join(path, 'nowhere')), undefined);
});

test('a folder with a link to a device is rejected', async (t) => {
	const path = folder(t);
	symlinkSync('/dev/zero', join(path, 'a.yaml'));
	const message = `${join(path, 'a.yaml')} is not a regular file`;
	await assert.rejects(listManifests(path), new CommandError(message));
});

test('a file without an end is read up to the limit', async () => {
	await assert.rejects(readManifestFile('/dev/zero'), {
		message: '/dev/zero exceeds the limit of 64 MiB for a manifest',
	});
	assert.equal(await readManifestFile('/dev/null'), '');
	await assert.rejects(readManifestFile('/nowhere'), { code: 'ENOENT' });
});
