import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { jobs } from './definition.ts';
import { type Job, jobSchema } from './schema.ts';

const POD = { restartPolicy: 'Never', containers: [{ name: 'main', image: 'a:1' }] };

function job(spec: object, metadata: object = {}): Job {
	const json = {
		metadata: { name: 'pi', namespace: 'default', uid: 'u', ...metadata },
		spec: { template: { spec: POD }, ...spec },
	};
	return jobs.strategy.prepareForCreate(jobs.defaults(decode(jobSchema, json).value));
}

function problems(given: Job): readonly string[] {
	return jobs.strategy.validateCreate(given).map(({ field, message }) => `${field}: ${message}`);
}

type Rows = readonly (readonly [spec: object, ...problems: readonly string[]])[];

function check(rows: Rows): void {
	for (const [spec, ...expected] of rows)
		assert.deepEqual(problems(job(spec)), expected, JSON.stringify(spec));
}

const INDEXED = { completionMode: 'Indexed', completions: 5 };

test('validation accepts a plain Job, a parallel one, a work queue and an Indexed one', () => {
	check([
		[{}],
		[{ completions: 5, parallelism: 2 }],
		[{ parallelism: 3 }],
		[{ completions: 0 }],
		[INDEXED],
		[{ ...INDEXED, backoffLimitPerIndex: 1, maxFailedIndexes: 5 }],
		[{ template: { spec: { ...POD, restartPolicy: 'OnFailure' } } }],
		[{ managedBy: 'acme.io/foo/bar' }],
	]);
});

test('scheduling belongs to a feature that is off, and is forbidden', () => {
	check([[{ scheduling: { schedulingPolicy: { gang: { minCount: 2 } } } }, 'spec.scheduling: Forbidden']]);
});

test('A: the name must be a DNS subdomain', () => {
	assert.deepEqual(problems(job({}, { name: 'Pi' })), [
		"metadata.name: Invalid value: \"Pi\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
	]);
	assert.deepEqual(problems(job({}, { name: 'pi.today' })), []);
});

test('B: a generated selector and its labels must not be changed', () => {
	const template = (labels: object): object => ({ metadata: { labels }, spec: POD });
	const all =
		'{"batch.kubernetes.io/controller-uid":"u","batch.kubernetes.io/job-name":"pi","controller-uid":"u","job-name":"x"}';
	check([
		[
			{ template: template({ 'job-name': 'x' }) },
			`spec.template.metadata.labels[job-name]: Invalid value: ${all}: must be 'pi'`,
		],
		[
			{ selector: { matchLabels: { app: 'pi' } } },
			'spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"u","app":"pi"}}: `selector` not auto-generated',
			'spec.template.metadata.labels: Invalid value: {"batch.kubernetes.io/controller-uid":"u","batch.kubernetes.io/job-name":"pi","controller-uid":"u","job-name":"pi"}: `selector` does not match template `labels`',
		],
	]);
	const plain = job({});
	const bare: Job = { ...plain, spec: { ...plain.spec, template: { spec: plain.spec.template.spec } } };
	assert.deepEqual(problems(bare).slice(0, 4), [
		"spec.template.metadata.labels[controller-uid]: Required value: must be 'u'",
		"spec.template.metadata.labels[job-name]: Required value: must be 'pi'",
		"spec.template.metadata.labels[batch.kubernetes.io/controller-uid]: Required value: must be 'u'",
		"spec.template.metadata.labels[batch.kubernetes.io/job-name]: Required value: must be 'pi'",
	]);
	const { uid: _, ...metadata } = plain.metadata;
	assert.equal(problems({ ...plain, metadata })[0], 'metadata.uid: Required value');
});

test('C: numbers must not be negative', () => {
	const negative = 'must be greater than or equal to 0';
	check([
		[{ parallelism: -1 }, `spec.parallelism: Invalid value: -1: ${negative}`],
		[{ completions: -1 }, `spec.completions: Invalid value: -1: ${negative}`],
		[{ activeDeadlineSeconds: -1 }, `spec.activeDeadlineSeconds: Invalid value: -1: ${negative}`],
		[{ backoffLimit: -1 }, `spec.backoffLimit: Invalid value: -1: ${negative}`],
		[{ ttlSecondsAfterFinished: -1 }, `spec.ttlSecondsAfterFinished: Invalid value: -1: ${negative}`],
		[{ ...INDEXED, backoffLimitPerIndex: -1 }, `spec.backoffLimitPerIndex: Invalid value: -1: ${negative}`],
		[
			{ ...INDEXED, backoffLimitPerIndex: 1, maxFailedIndexes: -1 },
			`spec.maxFailedIndexes: Invalid value: -1: ${negative}`,
		],
	]);
});

test('C: managedBy must be a path with a domain', () => {
	const long = `acme.io/${'a'.repeat(56)}`;
	check([
		[{ managedBy: '' }, 'spec.managedBy: Required value'],
		...['foo', '/foo', 'acme.io/'].map((managedBy): Rows[number] => [
			{ managedBy },
			`spec.managedBy: Invalid value: "${managedBy}": must be a domain-prefixed path (such as "acme.io/foo")`,
		]),
		[
			{ managedBy: 'Acme/foo' },
			`spec.managedBy: Invalid value: "Acme": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
		],
		[
			{ managedBy: 'acme.io/a b' },
			"spec.managedBy: Invalid value: \"a b\": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')",
		],
		[{ managedBy: long }, 'spec.managedBy: Too long: may not be more than 63 bytes'],
	]);
});

test('C: the completion mode decides which limits are allowed', () => {
	const many = { completionMode: 'Indexed', completions: 100_001 };
	check([
		[
			{ completionMode: 'indexed' },
			'spec.completionMode: Unsupported value: "indexed": supported values: "NonIndexed", "Indexed"',
		],
		[
			{ completionMode: 'Indexed', parallelism: 2 },
			'spec.completions: Required value: when completion mode is Indexed',
		],
		[
			{ ...INDEXED, parallelism: 100_001 },
			'spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed',
		],
		[
			{ ...INDEXED, maxFailedIndexes: 1 },
			'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
		],
		[
			{ ...INDEXED, backoffLimitPerIndex: 0, maxFailedIndexes: 6 },
			'spec.maxFailedIndexes: Invalid value: 6: must be less than or equal to completions',
		],
		[
			{ completionMode: 'Indexed', completions: 100_000, backoffLimitPerIndex: 0, maxFailedIndexes: 100_001 },
			'spec.maxFailedIndexes: Invalid value: 100001: must be less than or equal to completions',
			'spec.maxFailedIndexes: Invalid value: 100001: must be less than or equal to 100000',
		],
		[
			{ ...many, backoffLimitPerIndex: 1 },
			'spec.maxFailedIndexes: Required value: must be specified when completions is above 100000',
		],
		[
			{ ...many, backoffLimitPerIndex: 1, maxFailedIndexes: 10_001, parallelism: 10_001 },
			'spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
			'spec.maxFailedIndexes: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
		],
		[
			{ backoffLimitPerIndex: 1, maxFailedIndexes: 1 },
			'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode',
			'spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode',
		],
		[
			{ successPolicy: { rules: [] } },
			'spec.successPolicy: Invalid value: {"rules":[]}: requires indexed completion mode',
		],
	]);
});

const FAIL_JOB = { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [1] } }] };

test('C: podReplacementPolicy must be Failed if there is a pod failure policy', () => {
	check([
		[
			{ podReplacementPolicy: 'Never' },
			'spec.podReplacementPolicy: Unsupported value: "Never": supported values: "Failed", "TerminatingOrFailed"',
		],
		[{ podReplacementPolicy: 'Failed', podFailurePolicy: FAIL_JOB }],
		[
			{ podReplacementPolicy: 'TerminatingOrFailed', podFailurePolicy: FAIL_JOB },
			'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
		],
	]);
});

test('C: restartPolicy must be Never or OnFailure', () => {
	const template = (restartPolicy?: string): object => ({ spec: { ...POD, restartPolicy } });
	const path = 'spec.template.spec.restartPolicy';
	check([
		[{ template: template() }, `${path}: Required value: valid values: "OnFailure", "Never"`],
		[{ template: template('Always') }, `${path}: Required value: valid values: "OnFailure", "Never"`],
		[
			{ template: template('never') },
			`${path}: Unsupported value: "never": supported values: "Always", "OnFailure", "Never"`,
			`${path}: Unsupported value: "never": supported values: "OnFailure", "Never"`,
		],
		[
			{ template: template('OnFailure'), podFailurePolicy: FAIL_JOB },
			`${path}: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified`,
		],
	]);
});

test('C: a manual selector must match the labels of the template', () => {
	const manual = { manualSelector: true };
	const template = { metadata: { labels: { app: 'pi' } }, spec: POD };
	check([
		[{ ...manual, template, selector: { matchLabels: { app: 'pi' } } }],
		[
			{ ...manual, template },
			'spec.selector: Required value',
			'spec.template.metadata.labels: Invalid value: {"app":"pi"}: `selector` does not match template `labels`',
		],
		[
			{ ...manual, template, selector: { matchLabels: { app: 'e' } } },
			'spec.template.metadata.labels: Invalid value: {"app":"pi"}: `selector` does not match template `labels`',
		],
	]);
});

test('D: the rules of a pod failure policy must be valid', () => {
	const path = 'spec.podFailurePolicy.rules';
	const codes = (onExitCodes: object, action = 'FailJob'): object => ({
		podFailurePolicy: { rules: [{ action, onExitCodes: { operator: 'In', values: [1], ...onExitCodes } }] },
	});
	const rule = (given: object): object => ({ podFailurePolicy: { rules: [given] } });
	const condition = { onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] };
	check([
		[{ podFailurePolicy: { rules: [] } }],
		[codes({ containerName: 'main', values: [-1, 1, 255] })],
		[codes({ operator: 'NotIn', values: [0, 1] })],
		[{ ...INDEXED, backoffLimitPerIndex: 1, ...codes({}, 'FailIndex') }],
		[
			{ podFailurePolicy: { rules: Array.from({ length: 21 }, () => ({ action: 'Count', ...condition })) } },
			`${path}: Too many: 21: must have at most 20 items`,
		],
		[
			rule(condition),
			`${path}[0].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]`,
		],
		[
			codes({}, 'FailIndex'),
			`${path}[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set`,
		],
		[
			codes({}, 'Fail'),
			`${path}[0].action: Unsupported value: "Fail": supported values: "Count", "FailIndex", "FailJob", "Ignore"`,
		],
		[
			rule({ action: 'Count', ...condition, onExitCodes: { operator: 'In', values: [1] } }),
			`${path}[0]: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported`,
		],
		[
			rule({ action: 'Count' }),
			`${path}[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required`,
		],
		[
			codes({ operator: '' }),
			`${path}[0].onExitCodes.operator: Required value: valid values: ["In" "NotIn"]`,
		],
		[
			codes({ operator: 'in' }),
			`${path}[0].onExitCodes.operator: Unsupported value: "in": supported values: "In", "NotIn"`,
		],
		[
			codes({ containerName: 'other' }),
			`${path}[0].onExitCodes.containerName: Invalid value: "other": must be one of the container or initContainer names in the pod template`,
		],
		[
			codes({ values: [] }),
			`${path}[0].onExitCodes.values: Invalid value: []: at least one value is required`,
		],
		[
			codes({ values: Array.from({ length: 256 }, (_, index) => index + 1) }),
			`${path}[0].onExitCodes.values: Too many: 256: must have at most 255 items`,
		],
		[
			codes({ values: [2, 1, 2] }),
			`${path}[0].onExitCodes.values[2]: Duplicate value: 2`,
			`${path}[0].onExitCodes.values: Invalid value: [2,1,2]: must be ordered`,
		],
		[
			codes({ values: [0, 1] }),
			`${path}[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator`,
		],
		[
			rule({
				action: 'Count',
				onPodConditions: Array.from({ length: 21 }, () => condition.onPodConditions[0]),
			}),
			`${path}[0].onPodConditions: Too many: 21: must have at most 20 items`,
		],
		[
			rule({ action: 'Count', onPodConditions: [{ type: 'a b', status: 'true' }] }),
			`${path}[0].onPodConditions[0].type: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
			`${path}[0].onPodConditions[0].status: Unsupported value: "true": supported values: "False", "True", "Unknown"`,
		],
	]);
});

test('E: the rules of a success policy must be valid', () => {
	const path = 'spec.successPolicy.rules';
	const rules = (...given: readonly object[]): object => ({ ...INDEXED, successPolicy: { rules: given } });
	check([
		[
			rules(
				{ succeededIndexes: '0,2-4' },
				{ succeededCount: 5 },
				{ succeededIndexes: '0-2', succeededCount: 3 },
			),
		],
		[
			rules(),
			`${path}: Required value: at least one rules must be specified when the successPolicy is specified`,
		],
		[
			rules(...Array.from({ length: 21 }, () => ({ succeededCount: 1 }))),
			`${path}: Too many: 21: must have at most 20 items`,
		],
		[
			rules({}),
			`${path}[0]: Required value: at least one of succeededCount or succeededIndexes must be specified`,
		],
		[
			rules({ succeededIndexes: '0,'.repeat(32_769) }),
			`${path}[0].succeededIndexes: Too long: may not be more than 65536 bytes`,
			`${path}[0].succeededIndexes: Invalid value: "${'0,'.repeat(32_769)}": error parsing succeededIndexes: non-increasing order, previous: 0, current: 0`,
		],
		[
			rules({ succeededIndexes: '5' }),
			`${path}[0].succeededIndexes: Invalid value: "5": error parsing succeededIndexes: too large index: "5"`,
		],
		[
			rules({ succeededCount: -1 }),
			`${path}[0].succeededCount: Invalid value: -1: must be greater than or equal to 0`,
		],
		[
			rules({ succeededCount: 6 }),
			`${path}[0].succeededCount: Invalid value: 6: must be less than or equal to 5 (the number of specified completions)`,
		],
		[
			rules({ succeededCount: 3, succeededIndexes: '1,2' }),
			`${path}[0].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)`,
		],
	]);
});

test('F: the host names of the Pods of an Indexed Job must be DNS labels', () => {
	const long = 'a'.repeat(62);
	assert.deepEqual(problems(job(INDEXED, { name: long })), [
		`metadata.name: Invalid value: "${long}": will not able to create pod with invalid DNS label: ${long}-4`,
	]);
	assert.deepEqual(problems(job(INDEXED, { name: 'pi.today' })), [
		'metadata.name: Invalid value: "pi.today": will not able to create pod with invalid DNS label: pi.today-4',
	]);
	assert.deepEqual(problems(job({ ...INDEXED, completions: 0 }, { name: 'pi.today' })), []);
});

test("validation reports all errors, in upstream's order", () => {
	const template = { spec: { restartPolicy: 'Always', containers: [] } };
	assert.deepEqual(problems(job({ template, parallelism: -1, backoffLimit: -2 }, { namespace: '' })), [
		'metadata.namespace: Required value',
		'spec.parallelism: Invalid value: -1: must be greater than or equal to 0',
		'spec.backoffLimit: Invalid value: -2: must be greater than or equal to 0',
		'spec.template.spec.containers: Required value',
		'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
	]);
});

test('a create returns warnings for a name that is no DNS label, and for more indexes than can be tracked', () => {
	const warnings = (given: Job, old?: Job): readonly string[] => jobs.strategy.warnings?.(given, old) ?? [];
	assert.deepEqual(warnings(job({})), []);
	const dotted = job({}, { name: 'pi.today' });
	assert.deepEqual(warnings(dotted), [
		'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]',
	]);
	const huge = job({ completionMode: 'Indexed', completions: 100_001, parallelism: 10_001 });
	assert.deepEqual(warnings(huge), [
		'spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail',
	]);
	const changed: Job = { ...dotted, metadata: { ...dotted.metadata, generation: 2 } };
	assert.deepEqual(warnings(changed, dotted), [], 'an update gets no warning about the name');
	assert.deepEqual(warnings(huge, huge), [], 'an update without a change of the spec gets no warnings');
	const env = [
		{ name: 'A', value: '1' },
		{ name: 'A', value: '2' },
	];
	const template = { spec: { ...POD, containers: [{ name: 'main', image: 'a', env }] } };
	assert.deepEqual(warnings(job({ template })), [
		'spec.template.spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
	]);
});
