import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../../schema/decode.ts';
import { pods } from '../definition.ts';
import { type Pod, type PodStatus, podSchema } from '../schema.ts';

function pod(spec: object, status: PodStatus): Pod {
	const json = {
		metadata: { name: 'p', namespace: 'default', uid: 'u', resourceVersion: '1' },
		spec: { containers: [{ name: 'main', image: 'a:1' }], ...spec },
		status,
	};
	return pods.defaults(decode(podSchema, json).value);
}

/** The errors of an update from the status `old` to `status`, of a Pod with `spec`. */
function problems(status: PodStatus, old: PodStatus = {}, spec: object = {}): readonly string[] {
	const before = pod(spec, old);
	const updated = pods.status?.prepareForUpdate(pod(spec, status), before);
	const errors = updated ? (pods.status?.validateUpdate(updated, before) ?? []) : [];
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

const ended = (exitCode: number, name = 'main'): PodStatus => ({
	containerStatuses: [status(name, { terminated: { exitCode } })],
});
const RUNNING: PodStatus = { containerStatuses: [status('main', { running: {} })] };

function status(name: string, state: object): NonNullable<PodStatus['containerStatuses']>[number] {
	return { name, state, ready: false, restartCount: 0, image: 'a:1', imageID: '' };
}

test('a terminated container can run again only if a restart policy allows it', () => {
	const forbidden =
		'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state';
	const rule = { action: 'Restart', exitCodes: { operator: 'In', values: [42] } };
	const own = (container: object): object => ({
		restartPolicy: 'Never',
		containers: [{ name: 'main', image: 'a:1', ...container }],
	});
	const rows: readonly (readonly [spec: object, exitCode: number, ...problems: readonly string[]])[] = [
		[{ restartPolicy: 'Always' }, 0],
		[{ restartPolicy: 'OnFailure' }, 1],
		[{ restartPolicy: 'OnFailure' }, 0, forbidden],
		[{ restartPolicy: 'Never' }, 1, forbidden],
		[own({ restartPolicy: 'Always' }), 0],
		[own({ restartPolicy: 'OnFailure' }), 0, forbidden],
		[own({ restartPolicy: 'Never', restartPolicyRules: [rule] }), 42],
		[own({ restartPolicy: 'Never', restartPolicyRules: [rule] }), 1, forbidden],
		[own({ restartPolicy: 'Never', restartPolicyRules: [{ ...rule, action: 'RestartAllContainers' }] }), 1],
	];
	for (const [spec, exitCode, ...expected] of rows) {
		assert.deepEqual(problems(RUNNING, ended(exitCode), spec), expected, JSON.stringify(spec));
	}
	assert.deepEqual(problems(ended(1), ended(1), { restartPolicy: 'Never' }), []);
	assert.deepEqual(
		problems({}, ended(1), { restartPolicy: 'Never' }),
		[],
		'a status can be removed as a whole',
	);
});

test('an init container can run again if its policy allows it, an ephemeral container never', () => {
	const init = (state: object): PodStatus => ({ initContainerStatuses: [status('init', state)] });
	const look = (state: object): PodStatus => ({ ephemeralContainerStatuses: [status('look', state)] });
	const spec = {
		restartPolicy: 'Never',
		initContainers: [{ name: 'init', image: 'a:1', restartPolicy: 'Always' }],
	};
	const done = { terminated: { exitCode: 0 } };
	assert.deepEqual(problems(init({ running: {} }), init(done), spec), [], 'a sidecar can be restarted');
	assert.deepEqual(problems(look({ running: {} }), look(done), { restartPolicy: 'Always' }), [
		'status.ephemeralContainerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
	]);
});

test('a status update cannot change the QoS class, and keeps it if it leaves it out', () => {
	assert.deepEqual(problems({ phase: 'Running' }, { qosClass: 'Burstable' }), []);
	assert.deepEqual(problems({ qosClass: 'Guaranteed' }, { qosClass: 'Burstable' }), [
		'status.qosClass: Invalid value: "Guaranteed": field is immutable',
	]);
});

test('a condition type that Kubernetes does not define must be a qualified name', () => {
	assert.deepEqual(
		problems({
			conditions: [
				{ type: 'acme.io/ok', status: 'True' },
				{ type: 'Ready', status: 'True' },
			],
		}),
		[],
	);
	assert.equal(
		problems({ conditions: [{ type: 'a b', status: 'True', observedGeneration: -1 }] })[0],
		'status.conditions[0].observedGeneration: Invalid value: -1: must be a non-negative integer',
	);
	assert.match(
		problems({ conditions: [{ type: 'a b', status: 'True' }] })[0] ?? '',
		/^status\.conditions\[0\]\.Type: Invalid value: "a b"/,
	);
});

test('a Pod that is bound to a node cannot be nominated to one', () => {
	assert.deepEqual(problems({ nominatedNodeName: 'n' }), []);
	assert.deepEqual(problems({ nominatedNodeName: 'n' }, {}, { nodeName: 'm' }), [
		'status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node',
	]);
});

test('a status has at most one address of each IP family, and the first equals hostIP', () => {
	assert.deepEqual(problems({ podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }, { ip: '::1' }] }), []);
	assert.deepEqual(problems({ podIPs: [{ ip: '127.0.0.1' }, { ip: '127.0.0.2' }] }), [
		'status.podIPs: Invalid value: [{"ip":"127.0.0.1"},{"ip":"127.0.0.2"}]: may specify no more than one IP for each IP family',
	]);
	assert.deepEqual(problems({ podIPs: [{ ip: 'here' }] }), [
		'status.podIPs[0]: Invalid value: "here": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
	]);
	assert.deepEqual(problems({ podIPs: [{ ip: 'here' }] }, { podIPs: [{ ip: 'here' }] }), []);
	assert.deepEqual(problems({ hostIP: '10.0.0.1', hostIPs: [{ ip: '10.0.0.2' }] }), [
		'status.hostIPs[0].ip: Invalid value: "10.0.0.2": must be equal to `hostIP`',
	]);
});
