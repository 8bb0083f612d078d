/** The part of the API's contract about deletions; see api-contract-suite.ts. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApiUnderTest } from './api-under-test.ts';
import { JOBS, jobNamed, PODS, podNamed, refusal } from './server-contract-suite.ts';

/** The tests of delete and of namespaces, whose deletion takes two steps. */
export function deleteContract(api: ApiUnderTest): void {
	const { post, put, get, patch, remove, names } = api;

	describe('delete', () => {
		test('removes an object without finalizers and returns its name and UID', async () => {
			const job = await post(JOBS, jobNamed('j'));
			const { uid } = job.metadata;
			const status = await remove(`${JOBS}/j`, { propagationPolicy: 'Background' });
			assert.deepEqual(status, {
				kind: 'Status',
				apiVersion: 'v1',
				metadata: {},
				status: 'Success',
				details: { name: 'j', group: 'batch', kind: 'jobs', uid },
			});
			assert.equal((await refusal(remove(`${JOBS}/j`))).code, 404);
		});

		test('orphans the Pods of a Job by default and warns about it', async () => {
			const warning =
				'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning';
			for (const path of [`${JOBS}/j`, JOBS]) {
				await post(JOBS, jobNamed('j'));
				const first = await api.transport.request({ method: 'DELETE', path });
				assert.deepEqual(first.warnings, [warning]);
				const { metadata } = await get(`${JOBS}/j`);
				assert.deepEqual(metadata.finalizers, ['orphan']);
				assert.equal(metadata.deletionGracePeriodSeconds, 0);
				assert.equal(metadata.generation, 2);
				const again = await api.transport.request({ method: 'DELETE', path });
				assert.deepEqual(again.warnings, [warning]);
				const orphan = { method: 'DELETE' as const, path, body: { propagationPolicy: 'Orphan' } };
				assert.deepEqual((await api.transport.request(orphan)).warnings, []);
				await patch(`${JOBS}/j`, 'merge-patch', { metadata: { finalizers: null } });
			}
		});

		test('sets the foreground finalizer, by body or by query', async () => {
			await post(JOBS, jobNamed('j'));
			await post(JOBS, jobNamed('k'));
			const foreground = { propagationPolicy: 'Foreground' };
			const byBody = await remove(`${JOBS}/j`, foreground);
			const byQuery = await remove(`${JOBS}/k`, undefined, foreground);
			assert.deepEqual(byBody.metadata.finalizers, ['foregroundDeletion']);
			assert.deepEqual(byQuery.metadata.finalizers, ['foregroundDeletion']);
			const released = await patch(`${JOBS}/j`, 'merge-patch', { metadata: { finalizers: null } });
			assert.equal(released.metadata.finalizers, undefined);
			assert.equal((await refusal(get(`${JOBS}/j`))).code, 404);
		});

		test('keeps an object until its last finalizer is removed', async () => {
			await post(PODS, podNamed('p', { finalizers: ['a/b', 'c/d'] }));
			await remove(`${PODS}/p`);
			const { revision } = api.opened.store;
			await remove(`${PODS}/p`);
			assert.equal(api.opened.store.revision, revision);
			const added = { metadata: { finalizers: ['a/b', 'c/d', 'e/f'] } };
			assert.equal((await refusal(patch(`${PODS}/p`, 'merge-patch', added))).code, 422);
			await patch(`${PODS}/p`, 'merge-patch', { metadata: { finalizers: ['c/d'] } });
			await get(`${PODS}/p`);
			await patch(`${PODS}/p`, 'merge-patch', { metadata: { finalizers: [] } });
			assert.equal((await refusal(get(`${PODS}/p`))).code, 404);
		});

		test('gives a running Pod its grace period, which can only get shorter', async () => {
			await post(PODS, podNamed('p'));
			await post(`${PODS}/p/binding`, { metadata: { name: 'p' }, target: { name: 'node' } });
			const first = await remove(`${PODS}/p`);
			assert.equal(first.metadata.deletionTimestamp, '2026-01-01T00:00:30Z');
			assert.equal(first.metadata.deletionGracePeriodSeconds, 30);
			assert.equal(first.metadata.generation, 2);
			const longer = await remove(`${PODS}/p`, { gracePeriodSeconds: 60 });
			assert.equal(longer.metadata.deletionGracePeriodSeconds, 30);
			const shorter = await remove(`${PODS}/p`, { gracePeriodSeconds: 5 });
			assert.equal(shorter.metadata.deletionTimestamp, '2026-01-01T00:00:05Z');
			assert.equal(shorter.metadata.generation, 2);
			const kept = await patch(`${PODS}/p`, 'merge-patch', { metadata: { labels: { a: '1' } } });
			assert.equal(kept.metadata.deletionTimestamp, '2026-01-01T00:00:05Z');
			const gone = await remove(`${PODS}/p`, { gracePeriodSeconds: 0 });
			assert.equal(gone.kind, 'Pod');
			assert.equal((await refusal(get(`${PODS}/p`))).code, 404);
		});

		test('keeps a Pod with a finalizer beyond its grace period', async () => {
			await post(PODS, podNamed('p', { finalizers: ['a/b'] }));
			await post(`${PODS}/p/binding`, { metadata: { name: 'p' }, target: { name: 'node' } });
			await remove(`${PODS}/p`);
			const over = await remove(`${PODS}/p`, { gracePeriodSeconds: 0 });
			assert.equal(over.metadata.deletionGracePeriodSeconds, 0);
			await patch(`${PODS}/p`, 'merge-patch', { metadata: { finalizers: null } });
			assert.equal((await refusal(get(`${PODS}/p`))).code, 404);
		});

		test('checks preconditions', async () => {
			const job = await post(JOBS, jobNamed('j'));
			const uid = await refusal(remove(`${JOBS}/j`, { preconditions: { uid: 'other' } }));
			assert.match(
				uid.message,
				/^Operation cannot be fulfilled on Job.batch "j": the UID in the precondition/,
			);
			const stale = { resourceVersion: '1' };
			assert.equal((await refusal(remove(`${JOBS}/j`, { preconditions: stale }))).reason, 'Conflict');
			const { resourceVersion } = job.metadata;
			await remove(`${JOBS}/j`, { preconditions: { resourceVersion }, propagationPolicy: 'Background' });
		});

		test('rejects options that are not valid', async () => {
			await post(JOBS, jobNamed('j'));
			const unknown = await refusal(remove(`${JOBS}/j`, { propagationPolicy: 'Sideways' }));
			assert.match(unknown.message, /propagationPolicy: Unsupported value: "Sideways"/);
			const both = { propagationPolicy: 'Orphan', orphanDependents: true };
			assert.equal((await refusal(remove(`${JOBS}/j`, both))).code, 422);
		});

		test('performs all checks but does not write in a dry run', async () => {
			await post(PODS, podNamed('p'));
			await post(JOBS, jobNamed('j'));
			const { revision } = api.opened.store;
			await remove(`${PODS}/p`, { dryRun: ['All'] });
			await remove(`${JOBS}/j`, undefined, { dryRun: 'All' });
			assert.equal(api.opened.store.revision, revision);
		});

		test('deletes a collection by selector, but not Namespaces', async () => {
			for (const name of ['a', 'b', 'c']) {
				await post(PODS, podNamed(name, { labels: { odd: String(name !== 'b') } }));
			}
			await remove(PODS, undefined, { labelSelector: 'odd=true' });
			assert.deepEqual(await names(PODS), ['b']);
			assert.equal((await refusal(remove('/api/v1/namespaces'))).code, 405);
		});
	});

	describe('namespaces', () => {
		test('are deleted in two steps', async () => {
			const path = '/api/v1/namespaces/doomed';
			await post('/api/v1/namespaces', { metadata: { name: 'doomed' } });
			const ending = await remove(path);
			assert.equal(ending.status.phase, 'Terminating');
			assert.equal(ending.metadata.deletionTimestamp, '2026-01-01T00:00:00Z');
			const again = await remove(path);
			assert.equal(again.metadata.resourceVersion, ending.metadata.resourceVersion);
			await put(`${path}/finalize`, { ...ending, spec: { finalizers: [] } });
			assert.equal((await refusal(get(path))).code, 404);
		});

		test('of the system cannot be deleted', async () => {
			const error = await refusal(remove('/api/v1/namespaces/default'));
			assert.equal(error.message, 'namespaces "default" is forbidden: this namespace may not be deleted');
		});
	});
}
