import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { ApiRequest } from '../../api/contract/transport.ts';
import { ADMIN } from '../../api/contract/user.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { forbidden } from '../../api/errors/api-error.ts';
import type { AdmissionAttributes, AdmissionPlugin, Operation } from '../admission/admission.ts';
import {
	openTestServer,
	PODS,
	podNamed,
	refusal,
	type TestServer,
} from '../testing/server-contract-suite.ts';

const ALL: readonly Operation[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];

/** A plugin as a webhook would be: it waits in both phases. It labels what it mutates. */
class Recorder implements AdmissionPlugin {
	readonly calls: string[] = [];
	readonly attributes: AdmissionAttributes[] = [];
	/** Called in the validation phase. */
	check: (attributes: AdmissionAttributes) => Promise<void> = async () => undefined;

	readonly mutation: AdmissionPlugin['mutation'] = {
		operations: ALL,
		admit: async (attributes) => {
			this.calls.push(`mutate ${textOf(attributes)}`);
			const { object } = attributes;
			const labels = { ...object.metadata.labels, mutated: 'yes' };
			return { ...object, metadata: { ...object.metadata, labels } };
		},
	};
	readonly validation: AdmissionPlugin['validation'] = {
		operations: ALL,
		admit: async (attributes) => {
			this.calls.push(`validate ${textOf(attributes)}`);
			this.attributes.push(attributes);
			await this.check(attributes);
		},
	};
}

function textOf({
	operation,
	definition,
	subresource,
	name,
	object,
	old,
	dryRun,
}: AdmissionAttributes): string {
	const what = [definition.resource, name, ...(subresource ? [subresource] : [])].join('/');
	const objects = `${old ? 'old ' : ''}${object ? object.kind : ''}`.trim();
	return `${operation} ${what} ${objects}${dryRun ? ' dry' : ''}`;
}

describe('every write is admitted in two phases', () => {
	let recorder: Recorder;
	let opened: TestServer;

	beforeEach(async () => {
		recorder = new Recorder();
		opened = await openTestServer({ admissionPlugins: [recorder] });
		await send('POST', PODS, podNamed('p', { finalizers: ['a/b'] }));
		recorder.calls.length = 0;
	});
	afterEach(() => {
		opened.server.close();
		assert.deepEqual(opened.faults, []);
	});

	async function send(method: ApiRequest['method'], path: string, body?: unknown, query = {}): Promise<Pod> {
		const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
		const request = { method, path, body, query, contentType, user: ADMIN };
		return (await opened.server.request(request)).object as Pod; // `as`: all objects here are Pods.
	}

	const both = (text: string): readonly string[] => [`mutate ${text}`, `validate ${text}`];

	test('create, also with a generated name', async () => {
		const pod = await send('POST', PODS, podNamed('q'));
		assert.equal(pod.metadata.labels?.mutated, 'yes');
		assert.deepEqual(recorder.calls, both('CREATE pods/q Pod'));
		recorder.calls.length = 0;
		const { metadata } = await send('POST', PODS, podNamed('', { generateName: 'g-' }));
		assert.deepEqual(recorder.calls, [
			'mutate CREATE pods/ Pod',
			`validate CREATE pods/${metadata.name} Pod`,
		]);
	});

	test('update, patch and status, with the stored object', async () => {
		const pod = await send('GET', `${PODS}/p`);
		await send('PUT', `${PODS}/p`, pod);
		await send('PATCH', `${PODS}/p`, { metadata: { labels: { a: 'b' } } }, { dryRun: 'All' });
		await send('PATCH', `${PODS}/p/status`, { status: { message: 'm' } });
		assert.deepEqual(recorder.calls, [
			...both('UPDATE pods/p old Pod'),
			...both('UPDATE pods/p old Pod dry'),
			...both('UPDATE pods/p/status old Pod'),
		]);
		assert.deepEqual(recorder.attributes.at(-1)?.user, ADMIN);
	});

	test('a Binding and an Eviction, and not the writes that they cause', async () => {
		await send('POST', `${PODS}/p/binding`, { metadata: { name: 'p' }, target: { name: 'n' } });
		await send('POST', `${PODS}/p/eviction`, { metadata: { name: 'p' } });
		assert.deepEqual(recorder.calls, [
			...both('CREATE pods/p/binding Binding'),
			...both('CREATE pods/p/eviction Eviction'),
		]);
		assert.ok((await send('GET', `${PODS}/p`)).metadata.deletionTimestamp);
	});

	test('delete, of each object of a collection too: it has no object to mutate', async () => {
		await send('DELETE', `${PODS}/p`);
		await send('POST', PODS, podNamed('q'));
		recorder.calls.length = 0;
		await send('DELETE', PODS);
		assert.deepEqual(recorder.calls, ['validate DELETE pods/p old', 'validate DELETE pods/q old']);
	});

	test('finalize of a Namespace', async () => {
		const path = '/api/v1/namespaces/default';
		const namespace = await send('GET', path);
		await send('PUT', `${path}/finalize`, namespace);
		assert.deepEqual(recorder.calls, both('UPDATE namespaces/default/finalize old Namespace'));
	});

	test('a rejection in the second phase keeps the object as it was', async () => {
		recorder.check = () => Promise.reject(forbidden({ group: '', resource: 'pods', name: 'p' }, 'no'));
		const before = await send('GET', `${PODS}/p`);
		for (const act of [
			send('POST', PODS, podNamed('q')),
			send('PATCH', `${PODS}/p`, { metadata: { labels: { a: 'b' } } }),
			send('DELETE', `${PODS}/p`),
			send('POST', `${PODS}/p/binding`, { metadata: { name: 'p' }, target: { name: 'n' } }),
			send('POST', `${PODS}/p/eviction`, { metadata: { name: 'p' } }),
		]) {
			assert.equal((await refusal(act)).message, 'pods "p" is forbidden: no');
		}
		assert.equal(await send('GET', `${PODS}/p`), before);
		assert.equal((await refusal(send('GET', `${PODS}/q`))).reason, 'NotFound');
	});

	test('a write is admitted again if another one was faster', async () => {
		recorder.check = async () => {
			recorder.check = async () => undefined;
			await send('PATCH', `${PODS}/p`, { metadata: { labels: { first: '' } } });
		};
		const pod = await send('PATCH', `${PODS}/p`, { metadata: { labels: { second: '' } } });
		assert.deepEqual(Object.keys(pod.metadata.labels ?? {}).sort(), ['first', 'mutated', 'second']);
		assert.equal(recorder.calls.length, 6);
	});

	test('a Namespace that is deleted while admission waits gets no new object', async () => {
		await send('POST', '/api/v1/namespaces', { metadata: { name: 'n' } });
		const { check } = recorder;
		recorder.check = async () => {
			recorder.check = check;
			await send('DELETE', '/api/v1/namespaces/n');
		};
		const late = await refusal(send('POST', '/api/v1/namespaces/n/pods', podNamed('q')));
		assert.match(late.message, /pods "q" is forbidden: unable to create new content in namespace n/);
	});

	test('a Pod in a terminating Namespace is neither bound nor evicted', async () => {
		await send('POST', '/api/v1/namespaces', { metadata: { name: 'n' } });
		await send('POST', '/api/v1/namespaces/n/pods', podNamed('q'));
		await send('DELETE', '/api/v1/namespaces/n');
		const pod = '/api/v1/namespaces/n/pods/q';
		for (const act of [
			send('POST', `${pod}/binding`, { metadata: { name: 'q' }, target: { name: 'n' } }),
			send('POST', `${pod}/eviction`, { metadata: { name: 'q' } }),
		]) {
			assert.match(
				(await refusal(act)).message,
				/^pods "q" is forbidden: unable to create new content in namespace n/,
			);
		}
	});
});
