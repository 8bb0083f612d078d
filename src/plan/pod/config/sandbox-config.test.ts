import assert from 'node:assert/strict';
import test from 'node:test';
import { podWith } from '../testing/pod-with.ts';
import { sandboxConfigOf } from './sandbox-config.ts';

test('the sandbox has the names, labels and annotations of the Pod', () => {
	const metadata = { labels: { app: 'x' }, annotations: { note: 'y' } };
	const made = sandboxConfigOf(podWith({ hostname: 'h' }, metadata), 3);
	const { podUid, podName, podNamespace, hostname, attempt } = made;
	assert.deepEqual([podUid, podName, podNamespace, hostname, attempt], ['u', 'p', 'ns', 'h', 3]);
	assert.deepEqual(made.labels, {
		app: 'x',
		'io.kubernetes.pod.name': 'p',
		'io.kubernetes.pod.namespace': 'ns',
		'io.kubernetes.pod.uid': 'u',
	});
	assert.deepEqual(made.annotations, { note: 'y' });
});

test('each namespace is the container’s, the Pod’s or the node’s', () => {
	const namespaces = (spec: object) => Object.values(sandboxConfigOf(podWith(spec), 0).namespaces).join(' ');
	assert.equal(namespaces({}), 'pod pod container node');
	assert.equal(namespaces({ hostNetwork: true, hostIPC: true, hostPID: true }), 'node node node node');
	assert.equal(namespaces({ shareProcessNamespace: true, hostUsers: false }), 'pod pod pod pod');
});

test('the name resolution starts from that of the node, unless the policy is None', () => {
	const options = [{ name: 'ndots', value: '2' }, { name: 'rotate' }];
	const dnsConfig = { nameservers: ['1.1.1.1'], searches: ['a.b'], options };
	assert.deepEqual(sandboxConfigOf(podWith({ dnsPolicy: 'None', dnsConfig }), 0).dns, {
		...{ base: 'none', servers: ['1.1.1.1'], searches: ['a.b'], options: ['ndots:2', 'rotate'] },
	});
	const { dns } = sandboxConfigOf(podWith({ dnsPolicy: 'ClusterFirst' }), 0);
	assert.deepEqual(dns, { base: 'node', servers: [], searches: [], options: [] });
});

test('host ports are those of the containers and sidecars, and sysctls are named with dots', () => {
	const port = (hostPort: number) => [{ containerPort: 80, hostPort }];
	const pod = podWith({
		containers: [{ name: 'c', ports: [...port(8080), { containerPort: 81 }] }],
		initContainers: [
			{ name: 'i', ports: port(1) },
			{ name: 's', restartPolicy: 'Always', ports: port(9090), securityContext: { privileged: true } },
		],
		securityContext: { sysctls: [{ name: 'net/ipv4/tcp_syncookies', value: '1' }], fsGroup: 7 },
	});
	const made = sandboxConfigOf(pod, 0);
	assert.deepEqual(
		made.ports.map(({ hostPort, protocol, hostIP }) => [hostPort, protocol, hostIP]),
		[
			[8080, 'TCP', ''],
			[9090, 'TCP', ''],
		],
	);
	assert.deepEqual(made.sysctls, { 'net.ipv4.tcp_syncookies': '1' });
	assert.deepEqual([made.security.privileged, made.security.supplementalGroups], [true, [7]]);
});
