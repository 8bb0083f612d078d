import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '../../api/resources.ts';
import { Discovery } from './discovery.ts';

const discovery = new Discovery(resources);
const AGGREGATED = (version: string): string =>
	`application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;

interface Found {
	readonly kind: string;
	readonly apiVersion?: string;
	readonly contentType: string;
	readonly [field: string]: unknown;
}

function ask(path: string, accept = ''): Found | undefined {
	const answer = discovery.answer(path, accept);
	return answer && { ...(answer.object() as Found), contentType: answer.contentType };
}

test('the aggregated list has the version that the client asked for, also in its content type', () => {
	const newer = `${AGGREGATED('v2')},${AGGREGATED('v2beta1')},application/json`;
	assert.equal(ask('/apis', newer)?.apiVersion, 'apidiscovery.k8s.io/v2');
	assert.equal(ask('/apis', newer)?.contentType, AGGREGATED('v2'));
	const older = `${AGGREGATED('v2beta1')},application/json`;
	assert.equal(ask('/api', older)?.apiVersion, 'apidiscovery.k8s.io/v2beta1');
	assert.equal(ask('/api', older)?.contentType, AGGREGATED('v2beta1'));
	assert.equal(ask('/apis', `${AGGREGATED('v3')},application/json`)?.kind, 'APIGroupList');
	assert.equal(ask('/apis', 'application/json')?.contentType, 'application/json');
});

test('the aggregated lists have the fields that kubectl reads', () => {
	const items = ask('/apis', AGGREGATED('v2'))?.items as readonly {
		readonly metadata: { readonly name: string };
		readonly versions: readonly { readonly resources: readonly Record<string, unknown>[] }[];
	}[];
	const batch = items.find(({ metadata }) => metadata.name === 'batch');
	const jobs = batch?.versions[0]?.resources.find(({ resource }) => resource === 'jobs');
	assert.deepEqual(jobs, {
		resource: 'jobs',
		responseKind: { group: 'batch', version: 'v1', kind: 'Job' },
		scope: 'Namespaced',
		singularResource: 'job',
		verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
		categories: ['all'],
		subresources: [
			{
				subresource: 'status',
				responseKind: { group: 'batch', version: 'v1', kind: 'Job' },
				verbs: ['get', 'patch', 'update'],
			},
		],
	});
	assert.ok(!items.some(({ metadata }) => metadata.name === undefined));
	const core = ask('/api', AGGREGATED('v2'))?.items as readonly { readonly metadata: object }[];
	assert.deepEqual(
		core.map(({ metadata }) => metadata),
		[{}],
	);
});

test('the legacy lists have the same resources', () => {
	assert.deepEqual(ask('/api')?.versions, ['v1']);
	assert.equal(ask('/apis/batch')?.kind, 'APIGroup');
	const found = ask('/api/v1');
	assert.equal(found?.groupVersion, 'v1');
	const listed = (found?.resources ?? []) as readonly { readonly name: string }[];
	const names = listed.map(({ name }) => name);
	for (const name of ['pods', 'pods/log', 'pods/binding', 'pods/status', 'namespaces/finalize', 'nodes']) {
		assert.ok(names.includes(name), name);
	}
	assert.ok(!names.includes('nodes/log'));
});

test('discovery lists evictions in the group policy, where kubectl drain looks for them', () => {
	const eviction = { group: 'policy', version: 'v1', kind: 'Eviction' };
	const legacy = ask('/api/v1')?.resources as readonly { readonly name: string }[];
	assert.deepEqual(
		legacy.find(({ name }) => name === 'pods/eviction'),
		{ name: 'pods/eviction', singularName: '', namespaced: true, ...eviction, verbs: ['create'] },
	);
	assert.deepEqual(
		legacy.find(({ name }) => name === 'pods/binding'),
		{ name: 'pods/binding', singularName: '', namespaced: true, kind: 'Binding', verbs: ['create'] },
	);
	const items = ask('/api', AGGREGATED('v2'))?.items as readonly {
		readonly versions: readonly { readonly resources: readonly AggregatedResource[] }[];
	}[];
	const pods = items[0]?.versions[0]?.resources.find(({ resource }) => resource === 'pods');
	assert.deepEqual(
		pods?.subresources.find(({ subresource }) => subresource === 'eviction'),
		{ subresource: 'eviction', responseKind: eviction, verbs: ['create'] },
	);
});

test('discovery lists the scale of a workload in the group autoscaling, where kubectl scale looks for it', () => {
	const legacy = ask('/apis/apps/v1')?.resources as readonly { readonly name: string }[];
	assert.deepEqual(
		legacy.find(({ name }) => name === 'deployments/scale'),
		{
			name: 'deployments/scale',
			singularName: '',
			namespaced: true,
			...{ group: 'autoscaling', version: 'v1', kind: 'Scale' },
			verbs: ['get', 'patch', 'update'],
		},
	);
});

test('discovery lists exec with the kind of its options', () => {
	const legacy = ask('/api/v1')?.resources as readonly { readonly name: string }[];
	const verbs = ['create', 'get'];
	assert.deepEqual(
		legacy.find(({ name }) => name === 'pods/exec'),
		{ name: 'pods/exec', singularName: '', namespaced: true, kind: 'PodExecOptions', verbs },
	);
	const items = ask('/api', AGGREGATED('v2'))?.items as readonly {
		readonly versions: readonly { readonly resources: readonly AggregatedResource[] }[];
	}[];
	const pods = items[0]?.versions[0]?.resources.find(({ resource }) => resource === 'pods');
	assert.deepEqual(
		pods?.subresources.find(({ subresource }) => subresource === 'exec'),
		{ subresource: 'exec', responseKind: { group: '', version: 'v1', kind: 'PodExecOptions' }, verbs },
	);
});

interface AggregatedResource {
	readonly resource: string;
	readonly subresources: readonly { readonly subresource: string }[];
}

test('a group or version that is not served is not found', () => {
	for (const path of [
		'/apis/nothing',
		'/apis/batch/v2',
		'/api/v2',
		'/apis/batch/v1/x',
		'/api/v1/x',
		'/other',
	]) {
		assert.equal(ask(path), undefined, path);
	}
});

test('a document is made once and keeps its ETag', () => {
	assert.equal(discovery.answer('/apis', ''), discovery.answer('/apis', ''));
	assert.match(discovery.answer('/apis', '')?.etag ?? '', /^"[0-9A-F]{64}"$/);
});
