import assert from 'node:assert/strict';
import test from 'node:test';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import { PodWorld } from './testing/pod-world.ts';

const BARE: RuntimeTraits = {
	honours: new Set(),
	user: { uid: 0, gid: 0, groups: [] },
	os: 'linux',
	runsHostPrograms: true,
	canExec: false,
	canResize: false,
};

/** A Pod on a runtime that supports no field of the table. */
function bareWorld(spec: object): PodWorld {
	const world = new PodWorld({ containers: [{ name: 'main' }], restartPolicy: 'Never', ...spec });
	world.traits = BARE;
	return world;
}

const INSTEAD =
	'this runtime cannot mount volumes: use paths of this machine, or the working directory of the container, which is empty at its start';

const MOUNTS = [{ name: 'data', mountPath: '/data' }];

test("a Pod whose volumes cannot be mounted gets no sandbox, and the kubelet's Event", () => {
	const containers = [{ name: 'main', volumeMounts: MOUNTS }];
	const world = bareWorld({ containers, volumes: [{ name: 'data', emptyDir: {} }] });
	const plan = world.settle();
	assert.deepEqual([world.hasSandbox, world.started], [false, []]);
	assert.equal(world.pod.status.phase, 'Pending');
	assert.deepEqual(world.waiting('main'), {
		reason: 'ContainerCreating',
		message: `MountVolume.SetUp failed for volume "data" : spec.volumes[0]: ${INSTEAD}`,
	});
	assert.deepEqual(world.events, [
		`FailedMount: MountVolume.SetUp failed for volume "data" : spec.volumes[0]: ${INSTEAD}`,
	]);
	assert.equal(plan.againAfterMs, 10_000);
});

test('a failed mount is retried with a growing backoff, and the Pod starts when the runtime mounts volumes', () => {
	const containers = [{ name: 'main', volumeMounts: MOUNTS }];
	const world = bareWorld({ containers, volumes: [{ name: 'data', emptyDir: {} }] });
	world.settle();
	world.now += 10_000;
	assert.equal(world.settle().againAfterMs, 20_000);
	assert.equal(world.events.filter((text) => text.startsWith('FailedMount')).length, 2);
	world.traits = { ...BARE, honours: new Set(['spec.volumes']) };
	world.now += 20_000;
	world.settle();
	assert.deepEqual(world.started, ['main#0']);
	assert.equal(world.waiting('main'), undefined);
});

test('a volume of a type that stint does not support gets the Event on every runtime, and the others do not', () => {
	const volumeMounts = ['data', 'share'].map((name) => ({ name, mountPath: `/${name}` }));
	const world = bareWorld({
		containers: [{ name: 'main', volumeMounts }],
		volumes: [
			{ name: 'data', emptyDir: {} },
			{ name: 'share', nfs: { server: 's', path: '/' } },
		],
	});
	world.traits = { ...BARE, honours: new Set(['spec.volumes']) };
	world.settle();
	assert.deepEqual(world.events, [
		'FailedMount: MountVolume.SetUp failed for volume "share" : spec.volumes[1]: this node has no driver for nfs volumes: mount it on this machine, and use a hostPath volume',
	]);
});

test('where volumes are copied, one that containers write to gets the Event, and one with files of the API does not', () => {
	const volumeMounts = ['files', 'data'].map((name) => ({ name, mountPath: `/${name}` }));
	const world = bareWorld({
		containers: [{ name: 'main', volumeMounts }],
		volumes: [
			{ name: 'files', configMap: { name: 'settings', optional: true } },
			{ name: 'data', hostPath: { path: '/data' } },
		],
	});
	world.traits = { ...BARE, honours: new Set(['spec.volumes']), volumes: 'copied' };
	world.settle();
	assert.deepEqual(world.events, [
		'FailedMount: MountVolume.SetUp failed for volume "data" : spec.volumes[1]: this machine lets stint mount nothing for a container: files of the API are copied, and an emptyDir can be only for one run of one container: mount one emptyDir once in a Pod with restartPolicy Never, or run stint where containers can be isolated (`stint doctor`)',
	]);
});

test('a volume that no container mounts does not prevent the start', () => {
	const world = bareWorld({ volumes: [{ name: 'data', emptyDir: {} }] });
	world.settle();
	assert.deepEqual([world.started, world.events], [['main#0'], []]);
});

test('a container with a field that the runtime does not support waits, and the others run', () => {
	const containers = [{ name: 'main' }, { name: 'shell', tty: true }];
	const world = bareWorld({ containers });
	const plan = world.settle();
	assert.deepEqual(world.started, ['main#0']);
	assert.deepEqual(world.waiting('shell'), {
		reason: 'CreateContainerConfigError',
		message: 'spec.containers[1].tty is not honoured: containers have no terminal yet: remove the field',
	});
	assert.equal(world.pod.status.phase, 'Pending');
	assert.equal(plan.againAfterMs, 10_000);
});

test('fields without effect are reported by one Event', () => {
	const resources = { limits: { memory: '1Gi', cpu: '1' } };
	const world = bareWorld({ containers: [{ name: 'main', resources }], restartPolicy: 'OnFailure' });
	world.settle();
	world.exit('main', 1);
	world.settle();
	assert.deepEqual(world.started, ['main#0', 'main#1']);
	assert.deepEqual(world.events, [
		'NotHonoured: spec.containers[0].resources.limits is not honoured: stint may not make the control groups that enforce limits: run stint as root or where systemd delegates control groups, or remove the limits',
	]);
});

test("a Pod for another operating system is rejected with the kubelet's message", () => {
	const world = bareWorld({ os: { name: 'windows' } });
	const plan = world.settle();
	const { phase, reason, message, containerStatuses } = world.pod.status;
	assert.deepEqual([phase, reason], ['Failed', 'PodOSNotSupported']);
	assert.equal(message, "Pod was rejected: Failed to admit pod as the OS field doesn't match node OS");
	assert.equal(containerStatuses, undefined);
	assert.deepEqual(world.events, [
		"PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS",
	]);
	assert.deepEqual([world.started, plan.end], [[], 'over']);
	assert.deepEqual(world.settle().statusEvents, []);
});

test('a Pod with a sysctl that the kubelet does not allow is rejected', () => {
	const sysctls = [
		{ name: 'net.ipv4.tcp_syncookies', value: '1' },
		{ name: 'kernel.sem', value: '1' },
	];
	const world = bareWorld({ securityContext: { sysctls } });
	world.settle();
	assert.equal(world.pod.status.reason, 'SysctlForbidden');
	assert.equal(world.pod.status.message, 'Pod was rejected: forbidden sysctl: "kernel.sem" not allowlisted');
});

test('a Pod that is deleted before it is rejected ends as deleted', () => {
	const world = bareWorld({ os: { name: 'windows' } });
	world.delete();
	assert.equal(world.settle().end, 'remove');
});

test('a Pod that ends at its deadline gets one Event', () => {
	const world = bareWorld({ activeDeadlineSeconds: 5 });
	world.settle();
	world.now += 5000;
	world.settle();
	world.exit('main', 143);
	world.settle();
	assert.equal(world.pod.status.reason, 'DeadlineExceeded');
	assert.deepEqual(world.events, [
		'DeadlineExceeded: Pod was active on the node longer than the specified deadline',
	]);
});
