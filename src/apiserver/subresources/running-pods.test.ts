import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Pod } from '../../api/core/pod/schema.ts';
import { PodsUnderTest } from '../testing/pods-under-test.ts';
import { podNamed, refusal } from '../testing/server-contract-suite.ts';

/** The subresources ephemeralcontainers and resize, with the exact errors of upstream. */

const api = new PodsUnderTest();
const { podAt } = api;

beforeEach(() => api.open());
afterEach(() => api.close());

async function create(name: string, spec: object = {}): Promise<Pod> {
	const made = podNamed(name);
	return (
		await api.post('', { ...made, spec: { containers: [{ name: 'main', image: 'busybox' }], ...spec } })
	).object as Pod;
}

/** The message of the refused update through the subresource. */
async function refused(pod: Pod, subresource: string, spec: object): Promise<string> {
	const path = `/${pod.metadata.name}/${subresource}`;
	return (await refusal(api.put(path, { ...pod, spec: { ...pod.spec, ...spec } }))).message ?? '';
}

test('kubectl debug adds an ephemeral container by a patch; nothing else changes', async () => {
	await create('p');
	const ephemeralContainers = [{ name: 'debug', image: 'busybox', targetContainerName: 'main', stdin: true }];
	const patch = { metadata: { labels: { a: 'b' } }, spec: { priority: 7, ephemeralContainers } };
	const { object } = await api.patch('/p/ephemeralcontainers', patch);
	const { spec, metadata } = object as Pod;
	assert.equal(spec.ephemeralContainers?.[0]?.terminationMessagePolicy, 'File');
	assert.deepEqual([metadata.generation, metadata.labels, spec.priority], [2, undefined, 0]);
	assert.deepEqual((await api.get('/p/ephemeralcontainers')).object, await podAt('p'));
});

test('ephemeral containers can be neither removed nor changed, nor have the fields of other containers', async () => {
	await create('p');
	const debug = { name: 'debug', image: 'busybox' };
	await api.patch('/p/ephemeralcontainers', { spec: { ephemeralContainers: [debug] } });
	const pod = await podAt('p');
	const at = 'Pod "p" is invalid: spec.ephemeralContainers';
	const put = (...list: readonly object[]): Promise<string> =>
		refused(pod, 'ephemeralcontainers', { ephemeralContainers: list });
	const own = pod.spec.ephemeralContainers?.[0] ?? {};
	assert.equal(await put(), `${at}: Forbidden: existing ephemeral containers "debug" may not be removed\n`);
	assert.equal(
		await put({ ...own, image: 'alpine' }),
		`${at}: Forbidden: existing ephemeral containers "debug" may not be changed\n`,
	);
	const more = { ...own, name: 'other' };
	assert.equal(
		await put(own, { ...more, livenessProbe: { tcpSocket: { port: 1 } } }),
		`${at}[1].livenessProbe: Forbidden: cannot be set for an Ephemeral Container`,
	);
	assert.equal(
		await put(own, { ...more, targetContainerName: 'none' }),
		`${at}[1].targetContainerName: Not found: "none"`,
	);
	assert.equal(await put(own, { ...more, name: 'main' }), `${at}[1].name: Duplicate value: "main"`);
	await api.put('/p/ephemeralcontainers', {
		...pod,
		spec: { ...pod.spec, ephemeralContainers: [more, own] },
	});
	assert.equal((await podAt('p')).spec.ephemeralContainers?.length, 2);
});

const main = (resources: object, more: object = {}): object => ({
	containers: [{ name: 'main', image: 'busybox', resources, ...more }],
});

test('a resize changes cpu and memory, and nothing else of the Pod', async () => {
	await create('p', main({ requests: { cpu: '100m' }, limits: { memory: '64Mi' } }));
	const resources = { requests: { cpu: '200m' }, limits: { memory: '128Mi' } };
	const containers = [{ name: 'main', image: 'other', resources }];
	const patch = { metadata: { labels: { a: 'b' } }, spec: { activeDeadlineSeconds: 5, containers } };
	const { spec, metadata } = (await api.patch('/p/resize', patch)).object as Pod;
	const [container] = spec.containers;
	assert.deepEqual(container?.resources?.requests, { cpu: '200m', memory: '64Mi' });
	assert.deepEqual(container?.resources?.limits, { memory: '128Mi' });
	assert.equal(container?.image, 'busybox');
	assert.deepEqual(
		[metadata.generation, metadata.labels, spec.activeDeadlineSeconds],
		[2, undefined, undefined],
	);
});

test("a resize is refused with upstream's messages", async () => {
	const resources = { requests: { cpu: '100m', 'ephemeral-storage': '1Gi' }, limits: { cpu: '1' } };
	const pod = await create('p', main(resources));
	const resize = (now: object, more: object = {}): Promise<string> =>
		refused(pod, 'resize', { containers: [{ ...pod.spec.containers[0], resources: now, ...more }] });
	const invalid = 'Pod "p" is invalid: spec';
	assert.equal(
		await resize({ ...resources, requests: { 'ephemeral-storage': '1Gi' }, limits: {} }),
		'Pod "p" is invalid: [spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing, spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed, spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed]',
	);
	assert.equal(
		await resize({ ...resources, requests: { cpu: '100m', 'ephemeral-storage': '2Gi' } }),
		`${invalid}: Forbidden: only cpu and memory resources are mutable`,
	);
	assert.equal(
		await resize(resources, { name: 'other' }),
		`${invalid}.containers[0].name: Forbidden: containers may not be renamed or reordered on resize`,
	);
	assert.equal(
		await resize({ requests: { cpu: '2', 'ephemeral-storage': '1Gi' }, limits: { cpu: '1' } }),
		`${invalid}.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`,
	);
	const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }];
	assert.equal(
		await resize(resources, { resizePolicy }),
		`${invalid}: Forbidden: only cpu and memory resources are mutable`,
	);
	const guaranteed = await create('g', main({ limits: { cpu: '1', memory: '1Gi' } }));
	assert.equal(
		await refused(guaranteed, 'resize', {
			containers: [
				{
					...guaranteed.spec.containers[0],
					resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } },
				},
			],
		}),
		'Pod "g" is invalid: spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing',
	);
	assert.equal(
		await refused(pod, 'resize', {
			containers: [...pod.spec.containers, { name: 'more', image: 'busybox' }],
		}),
		`${invalid}.containers: Forbidden: containers may not be added or removed on resize`,
	);
});

test('an init container can be resized too, unless its policy asks for a restart', async () => {
	const init = (cpu: string): object[] => [
		{ name: 'init', image: 'busybox', resources: { requests: { cpu } } },
	];
	const pod = await create('p', { initContainers: init('100m') });
	const initContainers = pod.spec.initContainers?.map((each) => ({
		...each,
		resources: { requests: { cpu: '200m' } },
	}));
	const { object } = await api.put('/p/resize', { ...pod, spec: { ...pod.spec, initContainers } });
	assert.deepEqual((object as Pod).spec.initContainers?.[0]?.resources, { requests: { cpu: '200m' } });
});
