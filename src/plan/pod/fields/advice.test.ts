import assert from 'node:assert/strict';
import test from 'node:test';
import type { RuntimeTraits } from '../../../api/contract/runtime-traits.ts';
import type { KubeObject } from '../../../api/meta/object-meta.ts';
import { adviceOn } from './advice.ts';

const BARE: RuntimeTraits = {
	honours: new Set(),
	user: { uid: 0, gid: 0, groups: [] },
	os: 'linux',
	runsHostPrograms: true,
	canExec: false,
	canResize: false,
};

const TEMPLATE = {
	spec: {
		runtimeClassName: 'x',
		containers: [
			{ name: 'a', tty: true, resources: { limits: { cpu: '1' } } },
			{ name: 'b', tty: true },
		],
	},
};

const TEXTS = [
	'spec.runtimeClassName: its Pods will fail: the runtime has only its default handler, and none with the name that the RuntimeClass gives: remove the field',
	'spec.containers[0].tty (and 1 more): the container will not start: containers have no terminal yet: remove the field',
	'spec.containers[0].resources.limits: it will not be honoured: stint may not make the control groups that enforce limits: run stint as root or where systemd delegates control groups, or remove the limits',
];

function object(apiVersion: string, kind: string, rest: object): KubeObject {
	return { apiVersion, kind, metadata: { name: 'x' }, ...rest };
}

test('warnings tell the author of a Pod, Job or CronJob which fields have no effect', () => {
	const pod = object('v1', 'Pod', TEMPLATE);
	const job = object('batch/v1', 'Job', { spec: { template: TEMPLATE } });
	const cronJob = object('batch/v1', 'CronJob', { spec: { jobTemplate: { spec: { template: TEMPLATE } } } });
	assert.deepEqual(adviceOn(pod, BARE), TEXTS);
	assert.deepEqual(
		adviceOn(job, BARE),
		TEXTS.map((text) => `spec.template.${text}`),
	);
	assert.deepEqual(
		adviceOn(cronJob, BARE),
		TEXTS.map((text) => `spec.jobTemplate.spec.template.${text}`),
	);
});

test('there are no warnings for Pods of a controller, for other kinds, or for fields that the runtime supports', () => {
	const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'u', controller: true };
	const owned = { ...object('v1', 'Pod', TEMPLATE), metadata: { name: 'x', ownerReferences: [owner] } };
	assert.deepEqual(adviceOn(owned, BARE), []);
	assert.deepEqual(adviceOn(object('v1', 'Namespace', {}), BARE), []);
	assert.deepEqual(adviceOn(object('v1', 'Pod', TEMPLATE), { ...BARE, honours: 'everything' }), [TEXTS[0]]);
});
