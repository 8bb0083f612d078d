/** The part of the API's contract about changes of objects; see api-contract-suite.ts. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApiUnderTest } from './api-under-test.ts';
import { PODS, podNamed, refusal } from './server-contract-suite.ts';

/** The tests of update and patch. */
export function changeContract(api: ApiUnderTest): void {
	const { send, post, put, get, patch, remove } = api;

	describe('update', () => {
		test('needs the latest resourceVersion, or none', async () => {
			const pod = await post(PODS, podNamed('p'));
			const labelled = { ...pod, metadata: { ...pod.metadata, labels: { a: '1' } } };
			const updated = await put(`${PODS}/p`, labelled);
			assert.deepEqual(updated.metadata.labels, { a: '1' });
			assert.notEqual(updated.metadata.resourceVersion, pod.metadata.resourceVersion);
			const error = await refusal(put(`${PODS}/p`, labelled));
			assert.equal(error.reason, 'Conflict');
			assert.equal(
				error.message,
				'Operation cannot be fulfilled on pods "p": the object has been modified; please apply your changes to the latest version and try again',
			);
			const unconditional = await put(`${PODS}/p`, podNamed('p', { labels: { a: '2' } }));
			assert.deepEqual(unconditional.metadata.labels, { a: '2' });
		});

		test('does not write if nothing changes', async () => {
			const pod = await post(PODS, podNamed('p', { labels: { a: '1', b: '2' } }));
			const { revision } = api.opened.store;
			assert.deepEqual(await put(`${PODS}/p`, pod), pod);
			assert.deepEqual(await put(`${PODS}/p`, podNamed('p', { labels: { b: '2', a: '1' } })), pod);
			assert.deepEqual(await patch(`${PODS}/p`, 'merge-patch', {}), pod);
			assert.equal(api.opened.store.revision, revision);
		});

		test('creates no object, and rejects the UID of a deleted one', async () => {
			assert.equal((await refusal(put(`${PODS}/p`, podNamed('p')))).code, 404);
			await post(PODS, podNamed('p'));
			const error = await refusal(put(`${PODS}/p`, podNamed('p', { uid: 'other' })));
			assert.equal(error.code, 409);
			assert.match(error.message, /Precondition failed: UID in precondition: other, UID in object meta: /);
			const misnamed = await refusal(put(`${PODS}/p`, podNamed('q')));
			assert.equal(misnamed.message, 'the name of the object (q) does not match the name on the URL (p)');
		});

		test('keeps the fields that only the server sets', async () => {
			const pod = await post(PODS, podNamed('p', { finalizers: ['a/b'] }));
			await remove(`${PODS}/p`);
			const updated = await put(`${PODS}/p`, podNamed('p', { finalizers: ['a/b'], labels: { a: '1' } }));
			assert.equal(updated.metadata.uid, pod.metadata.uid);
			assert.equal(updated.metadata.creationTimestamp, pod.metadata.creationTimestamp);
			assert.equal(updated.metadata.deletionTimestamp, '2026-01-01T00:00:00Z');
			const forged = podNamed('p', { finalizers: ['a/b'], deletionTimestamp: '2030-01-01T00:00:00Z' });
			const unforged = await put(`${PODS}/p`, forged);
			assert.equal(unforged.metadata.deletionTimestamp, '2026-01-01T00:00:00Z');
		});

		test('changes the status only through its subresource', async () => {
			const pod = await post(PODS, podNamed('p'));
			const running = { ...pod, status: { ...pod.status, phase: 'Running' } };
			assert.equal((await put(`${PODS}/p`, running)).status.phase, 'Pending');
			const changed = { ...running, spec: { ...pod.spec, nodeName: 'elsewhere' } };
			const updated = await put(`${PODS}/p/status`, changed);
			assert.equal(updated.status.phase, 'Running');
			assert.equal(updated.spec.nodeName, undefined);
			assert.deepEqual(await get(`${PODS}/p/status`), updated);
		});

		test('performs all checks but does not write in a dry run', async () => {
			await post(PODS, podNamed('p'));
			const { revision } = api.opened.store;
			const tried = await patch(
				`${PODS}/p`,
				'merge-patch',
				{ metadata: { labels: { a: '1' } } },
				{ dryRun: 'All' },
			);
			assert.deepEqual(tried.metadata.labels, { a: '1' });
			assert.equal(api.opened.store.revision, revision);
		});
	});

	describe('patch', () => {
		test('applies strategic merge, merge and JSON patches', async () => {
			await post(PODS, podNamed('p', { labels: { a: '1' }, finalizers: ['a/b', 'c/d'] }));
			const merged = await patch(`${PODS}/p`, 'merge-patch', { metadata: { labels: { a: null, b: '2' } } });
			assert.deepEqual(merged.metadata.labels, { b: '2' });
			const strategic = await patch(`${PODS}/p`, 'strategic-merge-patch', {
				metadata: { '$deleteFromPrimitiveList/finalizers': ['a/b'] },
				spec: { containers: [{ name: 'main', image: 'other' }] },
			});
			assert.deepEqual(strategic.metadata.finalizers, ['c/d']);
			assert.deepEqual(
				strategic.spec.containers.map(({ name, image }) => [name, image]),
				[['main', 'other']],
			);
			const steps = [{ op: 'replace', path: '/metadata/labels/b', value: '3' }];
			assert.deepEqual((await patch(`${PODS}/p`, 'json-patch', steps)).metadata.labels, { b: '3' });
		});

		test('rejects a stale resourceVersion and the name of another object', async () => {
			const pod = await post(PODS, podNamed('p'));
			await patch(`${PODS}/p`, 'merge-patch', { metadata: { labels: { a: '1' } } });
			const { resourceVersion } = pod.metadata;
			const stale = await refusal(
				patch(`${PODS}/p`, 'merge-patch', { metadata: { resourceVersion, labels: { a: '2' } } }),
			);
			assert.equal(stale.reason, 'Conflict');
			const other = await refusal(
				patch(`${PODS}/p`, 'strategic-merge-patch', { metadata: { uid: 'other' } }),
			);
			assert.equal(other.reason, 'Invalid');
			assert.equal((await refusal(patch(`${PODS}/q`, 'merge-patch', {}))).code, 404);
		});

		test('loses none of many concurrent patches', async () => {
			await post(PODS, podNamed('p'));
			const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
			await Promise.all(
				keys.map((key) => patch(`${PODS}/p`, 'merge-patch', { metadata: { annotations: { [key]: '' } } })),
			);
			assert.deepEqual(Object.keys((await get(`${PODS}/p`)).metadata.annotations ?? {}).sort(), keys.sort());
		});

		test('shows the result that strict validation rejects', async () => {
			await post(PODS, podNamed('p'));
			const error = await refusal(
				patch(`${PODS}/p`, 'strategic-merge-patch', { spec: { foo: 1 } }, { fieldValidation: 'Strict' }),
			);
			assert.equal(
				error.message,
				' "" is invalid: patch: Invalid value: "map[spec:map[foo:1]]": strict decoding error: unknown field "spec.foo"',
			);
		});

		test('rejects server-side apply', async () => {
			const error = await refusal(
				send({ method: 'PATCH', path: `${PODS}/p`, contentType: 'application/apply-patch+yaml', body: {} }),
			);
			assert.equal(error.code, 415);
			const forced = await refusal(patch(`${PODS}/p`, 'merge-patch', {}, { force: 'true' }));
			assert.match(forced.message, /force: Forbidden: may not be specified for non-apply patch$/);
		});
	});
}
