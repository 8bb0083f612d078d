import assert from 'node:assert/strict';
import test from 'node:test';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { ApiRequest } from '../../api/contract/transport.ts';
import { JOBS, openTestServer, PODS, type TestServer } from '../testing/server-contract-suite.ts';

/** Every write that sets a dropped field warns about it, on every runtime and before one is registered. */

const CRON_JOBS = '/apis/batch/v1/namespaces/default/cronjobs';
const LIFECYCLE = { stopSignal: 'SIGINT' };
const TEXT = 'it is left out: its feature, ContainerStopSignals, is alpha and therefore off: handle SIGTERM';

interface Kind {
	readonly path: string;
	/** Path of the Pod spec in the object. */
	readonly steps: readonly string[];
	bodyOf(podSpec: object): object;
}

const LABELS = { a: 'b' };

const template = (spec: object): object => ({
	template: { metadata: { labels: LABELS }, spec: { ...spec, restartPolicy: 'Never' } },
});

const KINDS: Readonly<Record<string, Kind>> = {
	Pod: {
		path: PODS,
		steps: ['spec'],
		bodyOf: (spec) => ({ apiVersion: 'v1', kind: 'Pod', spec: { ...spec, serviceAccountName: 'default' } }),
	},
	Job: {
		path: JOBS,
		steps: ['spec', 'template', 'spec'],
		bodyOf: (spec) => ({
			...{ apiVersion: 'batch/v1', kind: 'Job' },
			spec: { ...template(spec), suspend: true, manualSelector: true, selector: { matchLabels: LABELS } },
		}),
	},
	CronJob: {
		path: CRON_JOBS,
		steps: ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
		bodyOf: (spec) => ({
			...{ apiVersion: 'batch/v1', kind: 'CronJob' },
			spec: { schedule: '@daily', jobTemplate: { spec: template(spec) } },
		}),
	},
};

function podSpec(lifecycle?: object): object {
	const fields = lifecycle ? { lifecycle } : {};
	return {
		// Admission sets it in new Pods, and an update must not change it.
		serviceAccountName: 'default',
		initContainers: [{ name: 'init', image: 'a', ...fields }],
		containers: [{ name: 'main', image: 'a', ...fields }],
	};
}

/** The merge patch that sets `value` at the path. */
function nested(steps: readonly string[], value: object): object {
	return steps.reduceRight<object>((inner, step) => ({ [step]: inner }), value);
}

/** Updates of the object `name` that set the field: PUT and each type of patch. */
function writesOf({ path, steps, bodyOf }: Kind, name: string): readonly ApiRequest[] {
	const at = `${path}/${name}`;
	const list = `/${steps.join('/')}/containers/0/lifecycle`;
	const patch = { containers: [{ name: 'main', lifecycle: LIFECYCLE }] };
	return [
		{ method: 'PUT', path: at, body: { ...bodyOf(podSpec(LIFECYCLE)), metadata: { name } } },
		{
			...{ method: 'PATCH', path: at, contentType: 'application/strategic-merge-patch+json' },
			body: nested(steps, patch),
		},
		{
			...{ method: 'PATCH', path: at, contentType: 'application/merge-patch+json' },
			body: nested(steps, { containers: [{ name: 'main', image: 'a', lifecycle: LIFECYCLE }] }),
		},
		{
			...{ method: 'PATCH', path: at, contentType: 'application/json-patch+json' },
			body: [{ op: 'add', path: list, value: LIFECYCLE }],
		},
	];
}

async function warningsOf({ server }: TestServer, request: ApiRequest): Promise<readonly string[]> {
	const { warnings } = await server.request(request);
	return warnings.filter((text) => text.includes('stopSignal'));
}

const RUNTIMES: Readonly<Record<string, RuntimeTraits | undefined>> = {
	'a bare runtime': {
		honours: new Set(),
		user: { uid: 0, gid: 0, groups: [] },
		os: 'linux',
		runsHostPrograms: true,
		canExec: false,
		canResize: false,
	},
	'a fake runtime': {
		honours: 'everything',
		user: { uid: 0, gid: 0, groups: [] },
		os: 'linux',
		runsHostPrograms: false,
		canExec: false,
		canResize: false,
	},
	'no runtime': undefined,
};

for (const [runtime, traits] of Object.entries(RUNTIMES)) {
	for (const [kind, known] of Object.entries(KINDS)) {
		test(`each write of a ${kind} that sets a stop signal warns, with ${runtime}`, async () => {
			const opened = await openTestServer(traits ? { traits } : {});
			const { path, steps, bodyOf } = known;
			const at = steps.join('.');
			const first = `${at}.initContainers[0].lifecycle.stopSignal (and 1 more): ${TEXT}`;
			const alone = `${at}.containers[0].lifecycle.stopSignal: ${TEXT}`;
			const body = { ...bodyOf(podSpec(LIFECYCLE)), metadata: { name: 'told' } };
			assert.deepEqual(await warningsOf(opened, { method: 'POST', path, body }), [first]);
			const plain = { ...bodyOf(podSpec()), metadata: { name: 'plain' } };
			assert.deepEqual(await warningsOf(opened, { method: 'POST', path, body: plain }), []);
			const told = await Promise.all(writesOf(known, 'plain').map((write) => warningsOf(opened, write)));
			assert.deepEqual(told, [[first], [alone], [alone], [alone]]);
			const { object } = await opened.server.request({ method: 'GET', path: `${path}/plain` });
			assert.ok(!JSON.stringify(object).includes('stopSignal'));
			opened.server.close();
		});
	}
}

test('a write that sets no dropped field does not warn', async () => {
	const opened = await openTestServer();
	const body = { ...KINDS.Pod?.bodyOf(podSpec(LIFECYCLE)), metadata: { name: 'p' } };
	await opened.server.request({ method: 'POST', path: PODS, body });
	const labels = { metadata: { labels: { a: 'b' } } };
	const contentType = 'application/merge-patch+json';
	const write: ApiRequest = { method: 'PATCH', path: `${PODS}/p`, contentType, body: labels };
	assert.deepEqual(await warningsOf(opened, write), []);
	opened.server.close();
});
