import assert from 'node:assert/strict';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import test, { type TestContext } from 'node:test';
import { type PodEnd, podEnds } from '../support/pod-ends.ts';
import { asOrdinaryUser, type StintServer, startStint } from '../support/stint-server.ts';

/**
 * Security contexts, host namespaces and what else isolates a container, with real programs that print what they see: as
 * root, as an ordinary user, and where the machine allows no isolation. A field is honoured, or the container is held
 * back, as docs/pod-fields.md says.
 */

/** Where a server runs: the levels of docs/pod-fields.md. */
type Level = 'root' | 'user' | 'none';

/** What a Pod does: the lines that its program prints, or a part of the message with which its container is held back. */
type Outcome = { readonly prints: string } | { readonly held: RegExp };

interface SecurityCase {
	readonly name: string;
	/** The security context of the container. */
	readonly context?: object;
	/** More fields of the container, and of the Pod. */
	readonly container?: object;
	readonly spec?: object;
	readonly script: string;
	readonly outcomes: Readonly<Record<Level, Outcome>>;
}

/** The same on machines that can isolate containers, and held back on others. */
function isolated(prints: string, held: RegExp): SecurityCase['outcomes'] {
	return { root: { prints }, user: { prints }, none: { held } };
}

function everywhere(prints: string): SecurityCase['outcomes'] {
	return { root: { prints }, user: { prints }, none: { prints } };
}

/** Prints the value of a field of /proc/self/status. */
function status(field: string): string {
	return `sed -n 's/^${field}:[[:space:]]*//p' /proc/self/status`;
}

const NO_CAPABILITIES = '0000000000000000';
const NAMESPACES = { pid: '$(readlink /proc/self/ns/pid)', ipc: '$(readlink /proc/self/ns/ipc)' };
const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount';
const MESSAGE = { terminationMessagePath: '/stint-e2e/end' };

const DNS_CONFIG = {
	...{ nameservers: ['192.0.2.7'], searches: ['a.example'] },
	options: [{ name: 'ndots', value: '1' }],
};
const RESOLVER = { dnsPolicy: 'None', dnsConfig: DNS_CONFIG };
const FQDN = 'web-0.db.default.svc.cluster.local';
const IN_DOMAIN = { subdomain: 'db', setHostnameAsFQDN: true };

/** Whether the container has a namespace of its own. */
function compare(kind: 'pid' | 'ipc'): string {
	const ours = readlinkSync(`/proc/self/ns/${kind}`);
	return `[ "${NAMESPACES[kind]}" = '${ours}' ] && echo shared || echo own`;
}

function identityCases(): readonly SecurityCase[] {
	const asRoot = /container has runAsNonRoot and image will run as root/;
	return [
		{
			...{ name: 'user', context: { runAsUser: 1234, runAsGroup: 2345 } },
			script: 'id -u; id -g; echo x > f; cat f; echo e > /dev/stderr',
			outcomes: isolated('1234\n2345\nx\ne', /runAsUser is not honoured/),
		},
		{
			...{ name: 'home', context: { runAsUser: 1 }, script: 'echo $HOME' },
			outcomes: {
				...isolated('', /runAsUser/),
				root: { prints: '/usr/sbin' },
				user: { prints: '/stint-e2e' },
			},
		},
		{
			...{ name: 'non-root', context: { runAsNonRoot: true }, script: 'echo runs' },
			outcomes: { root: { held: asRoot }, user: { prints: 'runs' }, none: { held: asRoot } },
		},
		{
			...{ name: 'non-root-user', context: { runAsNonRoot: true, runAsUser: 1234 }, script: 'id -u' },
			outcomes: isolated('1234', /runAsUser is not honoured/),
		},
		{
			...{ name: 'breaks-non-root', context: { runAsNonRoot: true, runAsUser: 0 }, script: 'echo runs' },
			outcomes: {
				root: { held: /container's runAsUser breaks non-root policy/ },
				user: { held: /container's runAsUser breaks non-root policy/ },
				none: { held: /container's runAsUser breaks non-root policy/ },
			},
		},
		{
			name: 'groups',
			spec: {
				securityContext: { supplementalGroups: [5000], fsGroup: 6000 },
				volumes: [{ name: 'v', emptyDir: {} }],
			},
			container: { volumeMounts: [{ name: 'v', mountPath: '/stint-e2e/v' }] },
			script: 'id -G; stat -c %g:%a /stint-e2e/v',
			outcomes: {
				root: { prints: '0 5000 6000\n6000:2777' },
				user: { held: /supplementalGroups is not honoured.*fsGroup is not honoured/ },
				none: { held: /this runtime cannot mount volumes/ },
			},
		},
	];
}

function rightsCases(): readonly SecurityCase[] {
	const all = readFileSync('/proc/self/status', 'utf8').match(/^CapEff:\s*(\w+)/m)?.[1] ?? '';
	// vmsplice of a descriptor that does not exist: EBADF, or EPERM if the call is filtered.
	const call = `perl -e 'syscall(${process.arch === 'arm64' ? 75 : 278}, -1, 0, 0, 0); print $!{EPERM} ? "no" : "yes"'`;
	const readOnly = 'touch /tmp/stint-e2e 2>&1 | grep -o "Read-only file system"';
	return [
		{
			...{ name: 'drop', context: { capabilities: { drop: ['ALL'] } } },
			script: `${status('CapEff')}; ${status('CapBnd')}`,
			outcomes: isolated(`${NO_CAPABILITIES}\n${NO_CAPABILITIES}`, /capabilities\.drop is not honoured/),
		},
		{
			...{ name: 'add', context: { capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] } } },
			script: status('CapBnd'),
			outcomes: isolated('0000000000001000', /capabilities\.drop is not honoured/),
		},
		{
			...{ name: 'unprivileged', context: { privileged: false }, script: status('CapBnd') },
			outcomes: { ...isolated('00000000a80425fb', /./), none: { prints: NO_CAPABILITIES } },
		},
		{
			...{ name: 'no-escalation', context: { allowPrivilegeEscalation: false } },
			script: status('NoNewPrivs'),
			outcomes: isolated('1', /allowPrivilegeEscalation is not honoured/),
		},
		{
			...{ name: 'read-only', context: { readOnlyRootFilesystem: true } },
			spec: { volumes: [{ name: 'v', emptyDir: {} }] },
			container: { volumeMounts: [{ name: 'v', mountPath: '/stint-e2e/v' }] },
			script: `${readOnly}; echo x > /stint-e2e/v/f; cat /stint-e2e/v/f; echo y > /dev/termination-log`,
			outcomes: isolated('Read-only file system\nx', /this runtime cannot mount volumes/),
		},
		{
			...{ name: 'fixed', context: { readOnlyRootFilesystem: true }, script: readOnly },
			outcomes: isolated('Read-only file system', /readOnlyRootFilesystem is not honoured/),
		},
		{
			...{ name: 'filtered', context: { seccompProfile: { type: 'RuntimeDefault' } } },
			script: `${status('Seccomp')}; ${call}`,
			outcomes: isolated('2\nno', /seccompProfile is not honoured/),
		},
		{
			...{ name: 'unfiltered', context: { seccompProfile: { type: 'Unconfined' } }, script: call },
			outcomes: everywhere('yes'),
		},
		{
			name: 'local-profile',
			context: { seccompProfile: { type: 'Localhost', localhostProfile: 'x.json' } },
			...{ script: 'echo runs', outcomes: heldEverywhere(/seccompProfile is not honoured/) },
		},
		{
			...{ name: 'misspelled', context: { capabilities: { add: ['NET_ADMINN'] } }, script: 'echo runs' },
			outcomes: {
				...everywhere('runs'),
				root: { held: /unknown capability "NET_ADMINN"/ },
				user: { held: /unknown capability "NET_ADMINN"/ },
			},
		},
		{
			...{ name: 'privileged', context: { privileged: true }, script: status('CapEff') },
			outcomes: { ...everywhere(NO_CAPABILITIES), root: { prints: all } },
		},
	];
}

function heldEverywhere(held: RegExp): SecurityCase['outcomes'] {
	return { root: { held }, user: { held }, none: { held } };
}

function namespaceCases(): readonly SecurityCase[] {
	const name = `uname -n; echo $HOSTNAME`;
	const alias = { ip: '10.1.2.3', hostnames: ['db.example'] };
	const inSecrets = `cat ${TOKEN}/namespace; echo; head -c 3 ${TOKEN}/token; echo; head -n 1 ${TOKEN}/ca.crt`;
	return [
		{
			...{ name: 'own-namespaces', script: `${compare('pid')}; ${compare('ipc')}; cat /proc/1/comm` },
			outcomes: { ...isolated('own\nown\nstint-waiter', /./), none: { prints: `shared\nshared\n${comm()}` } },
		},
		{
			...{ name: 'host-pid', spec: { hostPID: true }, script: compare('pid') },
			outcomes: everywhere('shared'),
		},
		{
			...{ name: 'host-ipc', spec: { hostIPC: true }, script: compare('ipc') },
			outcomes: everywhere('shared'),
		},
		{
			...{ name: 'shared-pids', spec: { shareProcessNamespace: true }, script: compare('pid') },
			outcomes: {
				root: { prints: 'own' },
				user: { held: /shareProcessNamespace is not honoured: each container sees only its own/ },
				none: { prints: 'shared' },
			},
		},
		{
			...{ name: 'named', spec: { hostname: 'web' }, script: name },
			outcomes: { ...isolated('web\nweb', /./), none: { prints: `${hostname()}\nweb` } },
		},
		{
			...{ name: 'host-network', spec: { hostNetwork: true }, script: name },
			outcomes: everywhere(`${hostname()}\n${hostname()}`),
		},
		{
			...{ name: 'aliases', spec: { hostAliases: [alias] }, script: 'getent hosts db.example aliases' },
			outcomes: isolated(
				'10.1.2.3        db.example\n127.0.0.1       aliases',
				/hostAliases is not honoured/,
			),
		},
		{
			...{ name: 'resolver', spec: RESOLVER, script: 'cat /etc/resolv.conf; echo x >> /etc/resolv.conf' },
			outcomes: isolated(
				'search a.example\nnameserver 192.0.2.7\noptions ndots:1',
				/dnsPolicy, dnsConfig are not honoured|dnsPolicy is not honoured/,
			),
		},
		{
			...{ name: 'web-0', spec: IN_DOMAIN, script: `uname -n; getent hosts ${FQDN}; true` },
			outcomes: {
				...isolated(`${FQDN}\n127.0.0.1       ${FQDN} web-0`, /./),
				none: { prints: hostname() },
			},
		},
		{
			...{
				name: 'overridden',
				spec: { hostnameOverride: 'db.example' },
				script: `${name}; getent hosts db.example; true`,
			},
			outcomes: {
				...isolated('db.example\ndb.example\n127.0.0.1       db.example', /./),
				none: { prints: `${hostname()}\ndb.example` },
			},
		},
		{
			...{ name: 'message', container: MESSAGE, script: 'echo why > /stint-e2e/end; echo wrote' },
			outcomes: isolated('wrote', /terminationMessagePath is not honoured/),
		},
		{
			...{ name: 'token', script: `(${inSecrets}) 2>/dev/null; true` },
			outcomes: { ...isolated('default\neyJ\n-----BEGIN CERTIFICATE-----', /./), none: { prints: '' } },
		},
	];
}

function comm(): string {
	return readFileSync('/proc/1/comm', 'utf8').trim();
}

function podOf(
	{ name, context, container, spec, script }: Omit<SecurityCase, 'outcomes'>,
	until: 'succeeds' | 'waits',
): object {
	const main = {
		...{ name: 'main', image: 'busybox', command: ['sh', '-c', script] },
		...(context && { securityContext: context }),
		...container,
	};
	return {
		...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { until } } },
		spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, containers: [main], ...spec },
	};
}

function checkOutcome(end: PodEnd | undefined, outcome: Outcome): void {
	assert.ok(end);
	if ('held' in outcome) {
		assert.match(end.waiting, outcome.held, end.status);
		return;
	}
	assert.equal(end.phase, 'Succeeded', end.status);
	assert.equal(end.log, outcome.prints);
}

/** Runs the Pods of all cases, and checks how each ends. */
async function checkAll(
	t: TestContext,
	server: StintServer,
	level: Level,
): Promise<ReadonlyMap<string, PodEnd>> {
	const cases = [...identityCases(), ...rightsCases(), ...namespaceCases()];
	const refused = level === 'root' ? [] : ['privileged'];
	const given = cases.filter(({ name }) => !refused.includes(name));
	const items = given.map((one) => podOf(one, 'prints' in one.outcomes[level] ? 'succeeds' : 'waits'));
	const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
	const applied = await server.kubectlWith(list, 'apply', '-f', '-');
	assert.equal(applied.code, 0, applied.stderr);
	const ends = await podEnds(server);
	for (const { name, outcomes } of given)
		await t.test(name, () => checkOutcome(ends.get(name), outcomes[level]));
	assert.equal(existsSync('/stint-e2e'), false, 'mount points are in the private mount namespaces only');
	return ends;
}

const IS_ROOT = process.geteuid?.() === 0;
const NEEDS_ROOT = { skip: IS_ROOT ? false : 'needs root' };

test('security fields are honoured as root', NEEDS_ROOT, async (t) => {
	const server = await startStint(t, { args: ['--allow-privileged'] });
	const ends = await checkAll(t, server, 'root');
	assert.equal(ends.get('message')?.terminated, 'why\n');
	assert.equal(ends.get('read-only')?.terminated, 'y\n');
	await t.test('containers that share processes see each other, and no others', async () => {
		const beside = { name: 'beside', image: 'busybox', restartPolicy: 'Always', command: ['sleep', '76543'] };
		// The brackets keep the command from finding itself.
		const script = `for each in 7654[3] 7654[4]; do grep -qa sleep.$each /proc/[0-9]*/cmdline && echo $each; done; true`;
		const others = { ...beside, command: ['sleep', '76544'], restartPolicy: undefined };
		const spec = { shareProcessNamespace: true, initContainers: [beside] };
		const items = [
			podOf({ name: 'apart', script: '', spec: { containers: [others] } }, 'succeeds'),
			podOf({ name: 'together', script, spec }, 'succeeds'),
		];
		const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
		assert.equal((await server.kubectlWith(list, 'apply', '-f', '-')).code, 0);
		const ended = '--for=jsonpath={.status.phase}=Succeeded';
		assert.equal((await server.kubectl('wait', ended, '--timeout=30s', 'pod/together')).code, 0);
		assert.equal((await server.kubectl('logs', 'together', '-c', 'main')).stdout, '7654[3]\n');
		// Containers outlive the server.
		assert.equal((await server.kubectl('delete', 'pod', 'apart', '--now')).code, 0);
	});
});

test(
	'security fields are honoured as an ordinary user, or their containers held back',
	NEEDS_ROOT,
	async (t) => {
		const server = await startStint(t, { ...asOrdinaryUser(t), env: { HOME: '/stint-e2e' } });
		await checkAll(t, server, 'user');
		await t.test('added capabilities and their limit are reported', async () => {
			const events = await server.kubectl('get', 'events', '--field-selector=reason=NotHonoured');
			assert.match(events.stdout, /pod\/add .*capabilities\.add is not honoured: containers have at most/);
		});
		await t.test('a privileged container is refused', async () => {
			const pod = podOf({ name: 'p', context: { privileged: true }, script: '' }, 'waits');
			const refused = await server.kubectlWith(JSON.stringify(pod), 'apply', '-f', '-');
			assert.equal(
				refused.stderr.trimEnd(),
				'The Pod "p" is invalid: spec.containers[0].securityContext.privileged: Forbidden: disallowed by cluster policy',
			);
		});
	},
);

/** In a user namespace that may have no others, as root without capabilities. */
const WITHOUT_NAMESPACES = [
	...['unshare', '--user', '--map-root-user', 'sh', '-c'],
	'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all "$@"',
	'sh',
];

test('where containers cannot be isolated, those that need it are held back', NEEDS_ROOT, async (t) => {
	const server = await startStint(t, { under: WITHOUT_NAMESPACES });
	await checkAll(t, server, 'none');
});
