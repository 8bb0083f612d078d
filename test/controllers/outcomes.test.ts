import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { pods as podResource } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { badRequest } from '../../src/api/errors/api-error.ts';
import { openTestServer } from '../../src/apiserver/testing/server-contract-suite.ts';
import { Client, type ResourceClient } from '../../src/client/client.ts';
import {
	isGone,
	isOvertaken,
	uidPrecondition,
	unlessGone,
	unlessOvertaken,
} from '../../src/client/outcomes.ts';

/** The refusals of an API server against the table in src/client/outcomes.ts. */

let pods: ResourceClient<Pod>;
before(async () => {
	const { server } = await openTestServer();
	pods = new Client(server).resource(podResource, 'default');
});

/** A Pod that existed and was deleted. */
async function deleted(name: string): Promise<Pod> {
	const pod = await created(name);
	await pods.delete(name);
	return pod;
}

/** A Pod that was deleted; another one has its name. */
async function replaced(name: string): Promise<Pod> {
	const pod = await deleted(name);
	await created(name);
	return pod;
}

/** A Pod as it was before its labels were changed. */
async function changed(name: string): Promise<Pod> {
	const pod = await created(name);
	await pods.patch(name, 'merge', { metadata: { labels: { changed: 'yes' } } });
	return pod;
}

function created(name: string): Promise<Pod> {
	const spec = { containers: [{ name: 'main', image: 'busybox' }] };
	return pods.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec } as unknown as Pod);
}

type Write = (pod: Pod) => Promise<unknown>;

const label = { labels: { mine: 'yes' } };
const update: Write = (pod) => pods.update({ ...pod, metadata: { ...pod.metadata, ...label } });
const patch: Write = ({ metadata: { name = '', uid } }) =>
	pods.patch(name, 'strategic', { metadata: { uid, ...label } });
const guardedPatch: Write = ({ metadata: { name = '', uid, resourceVersion } }) =>
	pods.patch(name, 'merge', { metadata: { uid, resourceVersion, ...label } });
const remove: Write = (pod) => pods.delete(pod.metadata.name ?? '', uidPrecondition(pod));

async function judged(write: Promise<unknown>): Promise<'written' | 'gone' | 'overtaken' | 'other'> {
	try {
		await write;
		return 'written';
	} catch (error) {
		if (isGone(error)) return 'gone';
		return isOvertaken(error) ? 'overtaken' : 'other';
	}
}

const ROWS: readonly [string, Write, Record<'deleted' | 'replaced' | 'changed', string>][] = [
	['an update', update, { deleted: 'gone', replaced: 'overtaken', changed: 'overtaken' }],
	['a patch with the UID', patch, { deleted: 'gone', replaced: 'gone', changed: 'written' }],
	[
		'a patch with UID and resourceVersion',
		guardedPatch,
		{ deleted: 'gone', replaced: 'overtaken', changed: 'overtaken' },
	],
	['a delete with the UID', remove, { deleted: 'gone', replaced: 'overtaken', changed: 'written' }],
];

for (const [what, write, expected] of ROWS) {
	test(`${what} of an object that was deleted, replaced or changed`, async () => {
		const name = what.toLowerCase().replaceAll(' ', '-');
		const seen = {
			deleted: await judged(write(await deleted(`${name}-1`))),
			replaced: await judged(write(await replaced(`${name}-2`))),
			changed: await judged(write(await changed(`${name}-3`))),
		};
		assert.deepEqual(seen, expected);
	});
}

test('only the expected errors become undefined', async () => {
	const pod = await deleted('none');
	assert.equal(await unlessGone(pods.get('none')), undefined);
	assert.equal(await unlessOvertaken(update(pod)), undefined);
	assert.equal((await unlessGone(created('some')))?.metadata.name, 'some');
	const stale = await changed('stale');
	await assert.rejects(unlessGone(update(stale)), { reason: 'Conflict' });
	await assert.rejects(unlessOvertaken(Promise.reject(badRequest('no'))), { reason: 'BadRequest' });
});
