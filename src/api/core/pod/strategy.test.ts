import assert from 'node:assert/strict';
import test from 'node:test';
import { deepFreeze } from '../../../base/json/freeze.ts';
import { cronjobs } from '../../batch/cronjob/definition.ts';
import type { CronJob } from '../../batch/cronjob/schema.ts';
import { jobs } from '../../batch/job/definition.ts';
import type { Job } from '../../batch/job/schema.ts';
import { decode, decodeAs } from '../../schema/decode.ts';
import { pods } from './definition.ts';
import { type Pod, type PodStatus, podSchema } from './schema.ts';

function pod(spec: object = {}, metadata: object = {}, status: object = {}): Pod {
	const json = {
		metadata: { name: 'p', namespace: 'default', uid: 'u', ...metadata },
		spec: { containers: [{ name: 'main', image: 'a:1' }], ...spec },
		status,
	};
	return deepFreeze(pods.defaults(decode(podSchema, json).value));
}

test('a created Pod is Pending, whatever status the client sends', () => {
	const created = pods.strategy.prepareForCreate(
		pod({}, { generation: 4 }, { phase: 'Running', podIP: '1.1.1.1' }),
	);
	assert.deepEqual(created.status, { phase: 'Pending', qosClass: 'BestEffort' });
	assert.equal(created.metadata.generation, 1);
});

test('a created Pod with scheduling gates has the condition PodScheduled with reason SchedulingGated', () => {
	const creationTimestamp = '2026-01-31T08:00:00Z';
	const gated = pod({ schedulingGates: [{ name: 'a' }] }, { creationTimestamp });
	const created = pods.strategy.prepareForCreate(gated);
	assert.deepEqual(created.status.conditions, [
		{
			type: 'PodScheduled',
			status: 'False',
			reason: 'SchedulingGated',
			message: 'Scheduling is blocked due to non-empty scheduling gates',
			lastProbeTime: null,
			lastTransitionTime: creationTimestamp,
		},
	]);
});

test('the QoS class follows from requests and limits', () => {
	const containers = (...resources: readonly object[]): object => ({
		containers: resources.map((each, index) => ({ name: `c${index}`, image: 'a:1', resources: each })),
	});
	const full = { limits: { cpu: '1', memory: '1Gi' } };
	const rows: readonly (readonly [spec: object, qosClass: string])[] = [
		[containers({}), 'BestEffort'],
		[containers({ requests: { cpu: '0' } }), 'BestEffort'],
		[containers({ limits: { 'ephemeral-storage': '1Gi' } }), 'BestEffort'],
		[containers({ requests: { cpu: '1' } }), 'Burstable'],
		[containers({ limits: { cpu: '1' } }), 'Burstable'],
		[containers(full), 'Guaranteed'],
		[containers({ ...full, requests: { cpu: '1000m', memory: '1024Mi' } }), 'Guaranteed'],
		[containers({ ...full, requests: { cpu: '1' } }), 'Guaranteed'],
		[containers({ ...full, requests: { cpu: '500m' } }), 'Burstable'],
		[containers(full, {}), 'Burstable'],
		[{ ...containers({}), resources: full }, 'Guaranteed'],
		[{ ...containers(full), resources: { requests: { cpu: '2' } } }, 'Burstable'],
		[{ ...containers(full), initContainers: [{ name: 'i', image: 'a:1' }] }, 'Burstable'],
	];
	for (const [spec, qosClass] of rows) {
		assert.equal(pods.strategy.prepareForCreate(pod(spec)).status.qosClass, qosClass, JSON.stringify(spec));
	}
});

test('a create merges the values of matchLabelKeys into label selectors', () => {
	const term = { labelSelector: { matchLabels: { a: 'b' } }, topologyKey: 'zone' };
	const created = pods.strategy.prepareForCreate(
		pod(
			{
				affinity: {
					podAntiAffinity: {
						requiredDuringSchedulingIgnoredDuringExecution: [
							{ ...term, matchLabelKeys: ['app', 'none'], mismatchLabelKeys: ['tier'] },
							term,
						],
					},
				},
				topologySpreadConstraints: [
					{
						maxSkew: 1,
						topologyKey: 'zone',
						whenUnsatisfiable: 'DoNotSchedule',
						labelSelector: {},
						matchLabelKeys: ['app'],
					},
				],
			},
			{ labels: { app: 'pi', tier: 'back' } },
		),
	);
	const terms = created.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
	assert.deepEqual(
		terms?.map(({ labelSelector }) => labelSelector),
		[
			{
				matchLabels: { a: 'b' },
				matchExpressions: [
					{ key: 'app', operator: 'In', values: ['pi'] },
					{ key: 'tier', operator: 'NotIn', values: ['back'] },
				],
			},
			{ matchLabels: { a: 'b' } },
		],
	);
	assert.deepEqual(created.spec.topologySpreadConstraints?.[0]?.labelSelector, {
		matchExpressions: [{ key: 'app', operator: 'In', values: ['pi'] }],
	});
	assert.deepEqual(
		pods.strategy.validateCreate(created),
		[],
		'requirements that the create added are no duplicates',
	);
});

test('an update keeps the status, and the stored spec object if the new one is equal', () => {
	const old = pods.strategy.prepareForCreate(pod());
	const update = pods.strategy.prepareForUpdate(
		{ ...old, spec: { ...old.spec }, status: { phase: 'Failed' } },
		old,
	);
	assert.equal(update.spec, old.spec);
	assert.equal(update.status, old.status);
	assert.equal(update.metadata.generation, 1);
	const changed = pods.strategy.prepareForUpdate(
		{ ...old, spec: { ...old.spec, activeDeadlineSeconds: 5 } },
		old,
	);
	assert.equal(changed.metadata.generation, 2);
});

test('an update of the status subresource keeps the spec and the owner references', () => {
	const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'x' };
	const old = pod(
		{},
		{ ownerReferences: [owner] },
		{ phase: 'Pending', qosClass: 'BestEffort', observedGeneration: 1 },
	);
	const written = pod({ nodeName: 'n' }, { labels: { a: 'b' } }, { phase: 'Running' });
	const update = pods.status?.prepareForUpdate(written, old);
	assert.equal(update?.spec, old.spec);
	assert.deepEqual(update?.metadata.ownerReferences, [owner]);
	assert.deepEqual(update?.metadata.labels, { a: 'b' });
	assert.deepEqual(update?.status, { phase: 'Running', qosClass: 'BestEffort', observedGeneration: 1 });
});

test('a status update that leaves out observed generations keeps them', () => {
	const condition = (observedGeneration?: number): PodStatus => ({
		conditions: [{ type: 'Ready', status: 'True', ...(observedGeneration && { observedGeneration }) }],
	});
	const keep = (given: PodStatus, old: PodStatus): unknown =>
		pods.status?.prepareForUpdate(pod({}, {}, given), pod({}, {}, old)).status.conditions?.[0]
			?.observedGeneration;
	assert.equal(keep(condition(), condition(3)), 3);
	assert.equal(keep(condition(4), condition(3)), 4);
	assert.equal(keep(condition(), condition()), undefined);
});

test('the grace period is 0 unless the Pod is bound to a node and not finished', () => {
	const bound = { nodeName: 'n' };
	const rows: readonly (readonly [
		spec: object,
		status: object,
		requested: number | undefined,
		seconds: number,
	])[] = [
		[{}, {}, undefined, 0],
		[{}, {}, 10, 0],
		[bound, { phase: 'Running' }, undefined, 30],
		[{ ...bound, terminationGracePeriodSeconds: 5 }, { phase: 'Running' }, undefined, 5],
		[bound, { phase: 'Pending' }, 10, 10],
		[bound, { phase: 'Running' }, 0, 0],
		[bound, { phase: 'Running' }, -1, 1],
		[bound, { phase: 'Succeeded' }, 10, 0],
		[bound, { phase: 'Failed' }, undefined, 0],
	];
	for (const [spec, status, requested, seconds] of rows) {
		assert.equal(pods.deletion.gracePeriodSeconds?.(pod(spec, {}, status), requested), seconds);
	}
	assert.equal(pods.deletion.defaultPropagation, 'Background');
});

test('field selectors select Pods by spec, phase, address and nominated node', () => {
	const given = pod(
		{ nodeName: 'n', restartPolicy: 'Never', serviceAccountName: 'robot', hostNetwork: true },
		{},
		{ phase: 'Running', podIPs: [{ ip: '10.0.0.1' }], nominatedNodeName: 'm' },
	);
	assert.deepEqual(pods.selectableFields(given), {
		'spec.nodeName': 'n',
		'spec.restartPolicy': 'Never',
		'spec.schedulerName': 'default-scheduler',
		'spec.serviceAccountName': 'robot',
		'spec.hostNetwork': 'true',
		'status.phase': 'Running',
		'status.podIP': '10.0.0.1',
		'status.nominatedNodeName': 'm',
	});
	assert.equal(pods.selectableFields(pod())['spec.hostNetwork'], 'false');
});

test('a create or update drops a field whose feature is off', () => {
	const containers = [
		{ name: 'main', image: 'a', lifecycle: { stopSignal: 'SIGNO', preStop: { sleep: { seconds: 1 } } } },
	];
	const spec = {
		containers,
		initContainers: [{ name: 'init', image: 'a', lifecycle: { stopSignal: 'SIGINT' } }],
	};
	const old = pods.strategy.prepareForCreate(pods.defaults(pod()));
	const given = pods.defaults(pod(spec));
	for (const pod of [pods.strategy.prepareForCreate(given), pods.strategy.prepareForUpdate(given, old)]) {
		assert.deepEqual(pod.spec.containers[0]?.lifecycle, { preStop: { sleep: { seconds: 1 } } });
		assert.equal(pod.spec.initContainers?.[0]?.lifecycle, undefined);
		assert.deepEqual(pods.strategy.validateCreate(pod), []);
	}
	const template = { spec };
	const job = decodeAs<Job>(jobs.schema, { metadata: { name: 'a' }, spec: { template } }).value;
	const cronJobSpec = { jobTemplate: { spec: { template } } };
	const cronJob = decodeAs<CronJob>(cronjobs.schema, { metadata: { name: 'a' }, spec: cronJobSpec }).value;
	for (const { spec: written } of [
		jobs.strategy.prepareForCreate(jobs.defaults(job)),
		cronjobs.strategy.prepareForCreate(cronjobs.defaults(cronJob)),
	]) {
		assert.ok(JSON.stringify(written).includes('preStop'));
		assert.ok(!JSON.stringify(written).includes('stopSignal'));
	}
});

test('an update keeps a field whose feature is off if the stored Pod has it', () => {
	const containers = [{ name: 'main', image: 'a:1', lifecycle: { stopSignal: 'SIGINT' } }];
	const old = pod({ containers }, { resourceVersion: '1', finalizers: ['example.com/kept'] });
	const released = pods.strategy.prepareForUpdate(pod({ containers }, { resourceVersion: '1' }), old);
	assert.equal(released.spec.containers[0]?.lifecycle?.stopSignal, 'SIGINT');
	assert.deepEqual(pods.strategy.validateUpdate(released, old), []);
	assert.deepEqual(pods.strategy.droppedFields?.(released, old), []);
});
