import assert from 'node:assert/strict';
import test from 'node:test';
import { deepFreeze } from '../../../base/json/freeze.ts';
import { decode } from '../../schema/decode.ts';
import { jobs } from './definition.ts';
import { type Job, jobSchema } from './schema.ts';

const UID = '11111111-2222-3333-4444-555555555555';

function created(spec: object, metadata: object = {}): Job {
	const json = {
		metadata: { name: 'pi', namespace: 'default', uid: UID, ...metadata },
		spec: {
			template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'a:1' }] } },
			...spec,
		},
		status: { active: 3 },
	};
	const defaulted = jobs.defaults(decode(jobSchema, json).value);
	return deepFreeze(jobs.defaults(jobs.strategy.prepareForCreate(defaulted)));
}

const GENERATED = {
	'controller-uid': UID,
	'batch.kubernetes.io/controller-uid': UID,
	'job-name': 'pi',
	'batch.kubernetes.io/job-name': 'pi',
};

test('create clears the status and sets generation 1', () => {
	const job = created({}, { generation: 7 });
	assert.deepEqual(job.status, {});
	assert.equal(job.metadata.generation, 1);
});

test('create generates labels and the selector', () => {
	const { spec, metadata } = created({});
	assert.deepEqual(spec.template.metadata?.labels, GENERATED);
	assert.deepEqual(spec.selector, { matchLabels: { 'batch.kubernetes.io/controller-uid': UID } });
	assert.deepEqual(metadata.labels, GENERATED, 'a Job without labels inherits those of its template');
});

test('create keeps the labels of the template, and a Job without labels inherits them', () => {
	const template = {
		metadata: { labels: { app: 'pi', 'job-name': 'other' } },
		spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'a:1' }] },
	};
	const inheriting = created({ template });
	const expected = { ...GENERATED, app: 'pi', 'job-name': 'other' };
	assert.deepEqual(inheriting.spec.template.metadata?.labels, expected);
	assert.deepEqual(inheriting.metadata.labels, expected);
	const own = { ...template.metadata.labels };
	assert.deepEqual(
		created({ template }, { labels: own }).metadata.labels,
		own,
		'labels equal to the template’s',
	);
});

test('an update and an update of the status that leave no labels inherit those of the template', () => {
	const old = created({});
	const bare: Job = { ...old, metadata: { ...old.metadata, labels: {} } };
	assert.deepEqual(jobs.strategy.prepareForUpdate(bare, old).metadata.labels, GENERATED);
	assert.deepEqual(jobs.status?.prepareForUpdate(bare, old).metadata.labels, GENERATED);
});

test('create adds the generated label to a given selector', () => {
	const { spec } = created({ selector: { matchLabels: { app: 'pi' } } });
	assert.deepEqual(spec.selector, {
		matchLabels: { 'batch.kubernetes.io/controller-uid': UID, app: 'pi' },
	});
});

test('with manualSelector create generates no labels and no selector', () => {
	const { spec } = created({ manualSelector: true, selector: { matchLabels: { app: 'pi' } } });
	assert.deepEqual(spec.selector, { matchLabels: { app: 'pi' } });
	assert.equal(spec.template.metadata?.labels, undefined);
});

test('an update keeps the status, and increments the generation only if the spec changes', () => {
	const old: Job = { ...created({}), status: { active: 1 } };
	const relabelled = jobs.strategy.prepareForUpdate(
		{ ...old, metadata: { ...old.metadata, labels: { a: 'b' } }, spec: { ...old.spec }, status: {} },
		old,
	);
	assert.deepEqual(relabelled.status, { active: 1 });
	assert.equal(relabelled.metadata.generation, 1);
	assert.equal(relabelled.spec, old.spec, 'the update shares an equal spec with the old object');
	const faster = jobs.strategy.prepareForUpdate({ ...old, spec: { ...old.spec, parallelism: 2 } }, old);
	assert.equal(faster.metadata.generation, 2);
});

test('an update of the status keeps the spec and may change metadata', () => {
	const old = created({});
	const written = { ...old, spec: { ...old.spec, parallelism: 9 }, status: { active: 2 } };
	const prepared = jobs.status?.prepareForUpdate(
		{ ...written, metadata: { ...old.metadata, annotations: { a: 'b' } } },
		old,
	);
	assert.equal(prepared?.spec, old.spec);
	assert.deepEqual(prepared?.status, { active: 2 });
	assert.deepEqual(prepared?.metadata.annotations, { a: 'b' });
	assert.equal(prepared?.metadata.generation, 1);
});

test('a DELETE without a propagation policy orphans the Pods and returns a warning', () => {
	assert.deepEqual(jobs.deletion, {
		defaultPropagation: 'Orphan',
		defaultPropagationWarning:
			'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
	});
});

test('a field selector matches the number of successful Pods', () => {
	assert.deepEqual(jobs.selectableFields({ ...created({}), status: { succeeded: 4 } }), {
		'status.successful': '4',
	});
	assert.deepEqual(jobs.selectableFields(created({})), { 'status.successful': '0' });
});
