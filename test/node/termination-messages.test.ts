import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RuntimeTraits } from '../../src/api/contract/runtime-traits.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { SystemClock } from '../../src/base/clock.ts';
import { FolderVolumes } from '../../src/node/volumes/folder-volumes.ts';
import { PodFolders } from '../../src/node/volumes/pod-folders.ts';
import { OWN_FILES } from '../../src/runtime/files/container-files.ts';
import { test } from '../support/transports.ts';
import { inPhase, pod, startNode } from './test-node.ts';

/** A runtime that mounts files for termination messages. */
const TRAITS: RuntimeTraits = {
	honours: new Set(['spec.containers[].terminationMessagePath']),
	...{ user: { uid: 0, gid: 0, groups: [] }, os: 'linux' },
	...{ runsHostPrograms: true, canExec: true, canResize: false },
};

/** A Pod whose containers run `explain TEXT`, which writes the text as its message and exits with 4. */
function explaining(texts: readonly string[], container: object = {}): Pod {
	const made = pod('p', []);
	const containers = texts.map((text, index) => ({
		...{ name: `c${index}`, image: 'busybox', command: ['explain', text], ...container },
	}));
	return { ...made, spec: { ...made.spec, containers } } as Pod;
}

async function messagesOf(
	t: Parameters<typeof startNode>[0],
	given: Pod,
): Promise<readonly (string | undefined)[]> {
	const folder = mkdtempSync(join(tmpdir(), 'stint-messages-'));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	const memory = { open: () => undefined, existing: () => undefined, removeLeftovers: async () => {} };
	const folders = new PodFolders({ files: () => OWN_FILES, disk: folder, memory });
	const volumes = new FolderVolumes({ files: () => OWN_FILES, folders, clock: new SystemClock() });
	const node = await startNode(t, { traits: TRAITS, volumes });
	await node.plane.client.resource(pods, 'default').create(given);
	const ended = await node.plane.until(pods, 'p', inPhase('Failed'));
	return ended?.status.containerStatuses?.map(({ state }) => state?.terminated?.message) ?? [];
}

test('the message of a container is the end of its file, at most 4096 bytes', async (t) => {
	const [short] = await messagesOf(t, explaining(['why\n']));
	assert.equal(short, 'why\n');
});

test('a long message is cut at the start', async (t) => {
	const [long] = await messagesOf(t, explaining([`${'x'.repeat(5000)}end`]));
	assert.equal(long?.length, 4096);
	assert.ok(long?.endsWith('xend'));
});

test('the messages of a Pod share 12 KiB', async (t) => {
	const lengths = (await messagesOf(t, explaining(Array(6).fill('y'.repeat(5000))))).map(
		(text) => text?.length,
	);
	assert.deepEqual(lengths, Array(6).fill(2048));
});

test('an empty file falls back to the log if the policy says so', async (t) => {
	const policy = { terminationMessagePolicy: 'FallbackToLogsOnError' };
	assert.deepEqual(await messagesOf(t, explaining([''], policy)), ['logged\n']);
});
