import assert from 'node:assert/strict';
import test from 'node:test';
import type { PodSpec } from '../../core/pod/schema.ts';
import { decode } from '../../schema/decode.ts';
import { jobs } from './definition.ts';
import { type Job, type JobSpec, type JobStatus, jobSchema } from './schema.ts';

const CONTAINER = { name: 'main', image: 'a:1' };

function job(spec: object = {}, status: JobStatus = {}): Job {
	const json = {
		metadata: { name: 'pi', namespace: 'default', uid: 'u' },
		spec: { template: { spec: { restartPolicy: 'Never', containers: [CONTAINER] } }, ...spec },
	};
	const created = jobs.strategy.prepareForCreate(jobs.defaults(decode(jobSchema, json).value));
	return { ...created, metadata: { ...created.metadata, resourceVersion: '1' }, status };
}

/** The distinct errors of an update of `old`, without the long values that some of them show. */
function problems(old: Job, change: Partial<JobSpec>): readonly string[] {
	const updated = jobs.strategy.prepareForUpdate({ ...old, spec: { ...old.spec, ...change } }, old);
	const texts = jobs.strategy
		.validateUpdate(updated, old)
		.map(({ field, message }) => `${field}: ${message.replace(/value: \{.*\}:/, 'value: …:')}`);
	return [...new Set(texts)];
}

function withPodSpec({ spec }: Job, change: Partial<PodSpec>): Partial<JobSpec> {
	return { template: { ...spec.template, spec: { ...spec.template.spec, ...change } } };
}

test('an update may change parallelism, limits and suspend', () => {
	const old = job();
	for (const change of [
		{ parallelism: 3 },
		{ activeDeadlineSeconds: 5 },
		{ backoffLimit: 0 },
		{ ttlSecondsAfterFinished: 0 },
		{ suspend: true },
		{ podReplacementPolicy: 'Failed' },
		{ manualSelector: true },
	] as const) {
		assert.deepEqual(problems(old, change), [], JSON.stringify(change));
	}
	const perIndex = job({ completionMode: 'Indexed', completions: 3, backoffLimitPerIndex: 1 });
	assert.deepEqual(problems(perIndex, { maxFailedIndexes: 2 }), []);
});

test('a field that a typed client omits for its zero value counts as unchanged', () => {
	const spec = {
		restartPolicy: 'Never',
		hostNetwork: false,
		containers: [{ ...CONTAINER, tty: false, stdin: false }],
	};
	const old = job({ template: { spec } });
	const plain = job();
	assert.deepEqual(old.spec, plain.spec);
	const updated = jobs.strategy.prepareForUpdate(plain, old);
	assert.equal(updated.metadata.generation, old.metadata.generation);
	assert.equal(updated.spec, old.spec);
});

test('completions are immutable, except together with the parallelism of an Indexed Job', () => {
	assert.deepEqual(problems(job({ completions: 3 }), { completions: 4 }), [
		'spec.completions: Invalid value: 4: field is immutable',
	]);
	const indexed = job({ completionMode: 'Indexed', completions: 3, parallelism: 3 });
	assert.deepEqual(problems(indexed, { completions: 5, parallelism: 5 }), []);
	assert.deepEqual(problems(indexed, { completions: 5, parallelism: 4 }), [
		'spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism',
	]);
});

test('an update of an immutable field is refused', () => {
	const indexed = job({ completionMode: 'Indexed', completions: 3 });
	const rows: readonly (readonly [old: Job, change: Partial<JobSpec>, problem: string])[] = [
		[
			job(),
			{ completionMode: 'Indexed' },
			'spec.completionMode: Invalid value: "Indexed": field is immutable',
		],
		[
			job(),
			{
				podFailurePolicy: { rules: [{ action: 'Count', onExitCodes: { operator: 'In', values: [1] } }] },
				podReplacementPolicy: 'Failed',
			},
			'spec.podFailurePolicy: Invalid value: …: field is immutable',
		],
		[indexed, { backoffLimitPerIndex: 1 }, 'spec.backoffLimitPerIndex: Invalid value: 1: field is immutable'],
		[job(), { managedBy: 'acme.io/foo' }, 'spec.managedBy: Invalid value: "acme.io/foo": field is immutable'],
		[
			indexed,
			{ successPolicy: { rules: [{ succeededCount: 1 }] } },
			'spec.successPolicy: Invalid value: …: field is immutable',
		],
		[job(), withPodSpec(job(), { hostname: 'pi' }), 'spec.template: Invalid value: …: field is immutable'],
	];
	for (const [old, change, problem] of rows) assert.deepEqual(problems(old, change), [problem]);
	const manual = job({
		manualSelector: true,
		selector: { matchLabels: { app: 'pi' } },
		template: {
			metadata: { labels: { app: 'pi', tier: 'x' } },
			spec: { restartPolicy: 'Never', containers: [CONTAINER] },
		},
	});
	assert.deepEqual(problems(manual, { selector: { matchLabels: { tier: 'x' } } }), [
		'spec.selector: Invalid value: …: field is immutable',
	]);
});

test('errors of an invalid spec are reported twice, as upstream does', () => {
	const old = job();
	const updated = { ...old, spec: { ...old.spec, parallelism: -1 } };
	assert.deepEqual(
		jobs.strategy.validateUpdate(updated, old).map(({ field }) => field),
		['spec.parallelism', 'spec.parallelism'],
	);
});

test('an old Job without the prefixed labels may be updated without them', () => {
	const labels = { 'controller-uid': 'u', 'job-name': 'pi' };
	const plain = job();
	const { template } = plain.spec;
	const old: Job = {
		...plain,
		spec: {
			...plain.spec,
			selector: { matchLabels: { 'controller-uid': 'u' } },
			template: { ...template, metadata: { labels } },
		},
	};
	assert.deepEqual(problems(old, { parallelism: 2 }), []);
	const half = { ...template, metadata: { labels: { 'job-name': 'pi' } } };
	assert.deepEqual(problems(old, { template: half }).slice(0, 1), [
		"spec.template.metadata.labels[controller-uid]: Required value: must be 'u'",
	]);
});

const SUSPENDED = { type: 'Suspended', status: 'True' };

test('the template may change only while the Job is suspended and has no active Pods', () => {
	const started = '2026-01-31T08:00:00Z';
	const rows: readonly (readonly [suspend: boolean, status: JobStatus, open: boolean])[] = [
		[true, {}, true],
		[true, { startTime: started, conditions: [SUSPENDED] }, true],
		[true, { startTime: started }, false],
		[true, { startTime: started, conditions: [SUSPENDED], active: 1 }, false],
		[true, { active: 1 }, false],
		[false, {}, false],
		[false, { conditions: [SUSPENDED] }, false],
	];
	for (const [suspend, status, open] of rows) {
		const old = job({ suspend }, status);
		const texts = problems(old, { ...withPodSpec(old, { nodeSelector: { a: 'b' } }), suspend: false });
		const expected = open ? [] : ['spec.template: Invalid value: …: field is immutable'];
		assert.deepEqual(texts, expected, JSON.stringify({ suspend, status }));
	}
});

test('in a suspended Job scheduling directives, resources and the metadata of the template may change', () => {
	const nodeAffinity = {
		requiredDuringSchedulingIgnoredDuringExecution: {
			nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'Exists' }] }],
		},
	} as const;
	const podAffinity = {
		requiredDuringSchedulingIgnoredDuringExecution: [
			{ labelSelector: { matchLabels: { a: 'b' } }, topologyKey: 'zone' },
		],
	};
	const old = job({ suspend: true });
	const [container = { ...CONTAINER }] = old.spec.template.spec.containers;
	const allowed: readonly Partial<PodSpec>[] = [
		{ nodeSelector: { a: 'b' } },
		{ tolerations: [{ operator: 'Exists' }] },
		{ schedulingGates: [{ name: 'acme.io/gate' }] },
		{ affinity: { nodeAffinity } },
		{ containers: [{ ...container, resources: { requests: { cpu: '1' } } }] },
	];
	for (const change of allowed) {
		assert.deepEqual(problems(old, withPodSpec(old, change)), [], JSON.stringify(change));
	}
	const template = {
		...old.spec.template,
		metadata: { ...old.spec.template.metadata, annotations: { a: 'b' } },
	};
	assert.deepEqual(problems(old, { template }), []);
	const forbidden: readonly Partial<PodSpec>[] = [
		{ affinity: { podAffinity } },
		{ containers: [{ ...container, image: 'b:1' }] },
		{ containers: [{ ...container, name: 'other', resources: { requests: { cpu: '1' } } }] },
		{ containers: [container, { ...container, name: 'second' }] },
		{ hostname: 'pi' },
	];
	for (const change of forbidden) {
		const expected = ['spec.template.spec: Invalid value: …: field is immutable'];
		assert.deepEqual(problems(old, withPodSpec(old, change)), expected, JSON.stringify(change));
	}
	const choosy = job({
		suspend: true,
		template: { spec: { restartPolicy: 'Never', containers: [CONTAINER], affinity: { nodeAffinity } } },
	});
	assert.deepEqual(
		problems(choosy, withPodSpec(choosy, { affinity: {} })),
		[],
		'an update may also remove node affinity',
	);
});
