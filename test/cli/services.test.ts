import assert from 'node:assert/strict';
import test from 'node:test';
import { endpoints } from '../../src/api/core/endpoints/definition.ts';
import type { Endpoints } from '../../src/api/core/endpoints/schema.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { services } from '../../src/api/core/service/definition.ts';
import { endpointSlices } from '../../src/api/discovery/endpointslice/definition.ts';
import type { EndpointSlice } from '../../src/api/discovery/endpointslice/schema.ts';
import { serviceCidrs } from '../../src/api/networking/servicecidr/definition.ts';
import { describe } from '../../src/cli/commands/describe.ts';
import { expose } from '../../src/cli/commands/expose.ts';
import { createService, type SERVICE_TYPES } from '../../src/cli/create/service.ts';
import { CliWorld, type Ended } from './cli-world.ts';

/**
 * create service, expose, and describe of Services and their endpoints. Output and errors are those that kubectl 1.32
 * printed for the same arguments, without `creationTimestamp: null`.
 */

const DRY = { dryRun: 'client', output: 'jsonpath={.spec}' } as const;

function errorOf({ code, stdout, stderr }: Ended): string {
	assert.deepEqual([code, stdout], [1, '']);
	return stderr.replace(/^error: /, '').replace(/\n$/, '');
}

test('create service makes a Service of each type, and refuses what kubectl refuses', async (t) => {
	const world = await CliWorld.open(t);
	const create = (kind: keyof typeof SERVICE_TYPES, flags: object): Promise<Ended> =>
		world.run((context) => createService(context, ['x'], { tcp: [], ...flags, kind }));
	assert.equal((await create('clusterip', { tcp: ['80:8080', '81:http'] })).stdout, 'service/x created\n');
	const { spec, metadata } = await world.client.resource(services, 'default').get('x');
	assert.deepEqual(
		[spec.ports, spec.selector, metadata.labels],
		[
			[
				{ name: '80-8080', protocol: 'TCP', port: 80, targetPort: 8080 },
				{ name: '81-http', protocol: 'TCP', port: 81, targetPort: 'http' },
			],
			{ app: 'x' },
			{ app: 'x' },
		],
	);
	const specs: readonly (readonly [keyof typeof SERVICE_TYPES, object, string])[] = [
		['clusterip', { clusterip: 'None' }, '{"clusterIP":"None","selector":{"app":"x"},"type":"ClusterIP"}'],
		[
			'nodeport',
			{ tcp: ['80'], nodePort: '30100' },
			'{"ports":[{"name":"80","nodePort":30100,"port":80,"protocol":"TCP","targetPort":80}],"selector":{"app":"x"},"type":"NodePort"}',
		],
		[
			'externalname',
			{ externalName: 'a.b' },
			'{"externalName":"a.b","selector":{"app":"x"},"type":"ExternalName"}',
		],
	];
	for (const [kind, flags, text] of specs)
		assert.equal((await create(kind, { ...flags, ...DRY })).stdout, text);
	const refused: readonly (readonly [keyof typeof SERVICE_TYPES, object, string])[] = [
		['clusterip', {}, 'at least one tcp port specifier must be provided'],
		['loadbalancer', { tcp: ['x'] }, 'strconv.ParseUint: parsing "x": invalid syntax'],
		['loadbalancer', { tcp: ['70000'] }, 'strconv.ParseUint: parsing "70000": value out of range'],
		['loadbalancer', { tcp: ['80:70000'] }, 'must be between 1 and 65535, inclusive'],
		['externalname', { externalName: '-' }, 'invalid service external name -'],
		['nodeport', { tcp: ['80'] }, 'failed to create NodePort service: services "x" already exists'],
	];
	for (const [kind, flags, text] of refused) assert.equal(errorOf(await create(kind, flags)), text);
});

async function addPod(
	world: CliWorld,
	name: string,
	ports: readonly object[],
	labels?: object,
): Promise<void> {
	const object = {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name, ...(labels && { labels }) },
		spec: { containers: [{ name: 'c', image: 'i', ports }] },
	};
	await world.client.resource(pods, 'default').create(object as unknown as Pod);
}

test('expose takes over labels, selector and ports, and its flags replace them', async (t) => {
	const world = await CliWorld.open(t);
	await addPod(world, 'web', [{ containerPort: 80 }], { app: 'web' });
	const both = [{ containerPort: 53 }, { containerPort: 53, protocol: 'UDP' }, { containerPort: 80 }];
	await addPod(world, 'dns', both, { app: 'dns' });
	await addPod(world, 'bare', [], { app: 'bare' });
	await addPod(world, 'plain', [{ containerPort: 1 }]);
	const run = (words: readonly string[], flags: object = {}): Promise<Ended> =>
		world.run((context) => expose(context, words, flags));
	const managers: unknown[] = [];
	world.onRequest = ({ method, query }) => method === 'POST' && managers.push(query?.fieldManager);
	assert.equal((await run(['pod', 'web'])).stdout, 'service/web exposed\n');
	assert.deepEqual(managers, ['kubectl-expose']);
	const { spec, metadata } = await world.client.resource(services, 'default').get('web');
	assert.deepEqual(spec.ports, [{ protocol: 'TCP', port: 80, targetPort: 80 }]);
	assert.deepEqual([spec.selector, metadata.labels], [{ app: 'web' }, { app: 'web' }]);
	assert.equal(
		(await run(['pod/dns'], DRY)).stdout,
		'{"ports":[{"name":"port-1-tcp","port":53,"protocol":"TCP","targetPort":53},{"name":"port-1-udp","port":53,"protocol":"UDP","targetPort":53},{"name":"port-2","port":80,"protocol":"TCP","targetPort":80}],"selector":{"app":"dns"}}',
	);
	const flags = { port: '1,2', targetPort: 'http', protocol: 'udp', type: 'LoadBalancer', selector: 'a=b' };
	const more = { sessionAffinity: 'ClientIP', externalIp: '8.8.8.8', loadBalancerIp: '9.9.9.9' };
	assert.equal(
		(await run(['svc', 'web'], { ...flags, ...more, ...DRY })).stdout,
		'{"externalIPs":["8.8.8.8"],"loadBalancerIP":"9.9.9.9","ports":[{"name":"port-1","port":1,"protocol":"UDP","targetPort":"http"},{"name":"port-2","port":2,"protocol":"UDP","targetPort":"http"}],"selector":{"a":"b"},"sessionAffinity":"ClientIP","type":"LoadBalancer"}',
	);
	const refused: readonly (readonly [readonly string[], object, string])[] = [
		[['pod', 'web'], {}, 'Error from server (AlreadyExists): services "web" already exists'],
		[['pod', 'bare'], {}, "couldn't find port via --port flag or introspection"],
		[
			['pod', 'plain'],
			{},
			"couldn't retrieve selectors via --selector flag or introspection: the pod has no labels and cannot be exposed",
		],
		[['pods'], { selector: 'a=b' }, 'resource(s) were provided, but no name was specified'],
		[['ns', 'default'], {}, 'cannot expose a Namespace'],
		[['pod', 'web'], { sessionAffinity: 'x' }, 'unknown session affinity: x'],
		[['pod', 'web'], { port: 'x' }, 'strconv.Atoi: parsing "x": invalid syntax'],
		[['pod', 'web'], { selector: 'x' }, 'unexpected label spec: x'],
	];
	for (const [words, given, text] of refused) assert.equal(errorOf(await run(words, given)), text);
});

test('expose makes Services for the Pods of Deployments and their like', async (t) => {
	const world = await CliWorld.open(t);
	const labels = { app: 'web' };
	const template = {
		metadata: { labels },
		spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }] }] },
	};
	const add = async (apiVersion: string, kind: string, path: string, selector: object, name = 'web') =>
		void (await world.client.transport.request({
			method: 'POST',
			path,
			body: { apiVersion, kind, metadata: { name, namespace: 'default' }, spec: { selector, template } },
		}));
	const apps = '/apis/apps/v1/namespaces/default';
	await add('apps/v1', 'Deployment', `${apps}/deployments`, { matchLabels: labels });
	await add('apps/v1', 'ReplicaSet', `${apps}/replicasets`, { matchLabels: labels });
	await add('v1', 'ReplicationController', '/api/v1/namespaces/default/replicationcontrollers', labels);
	const run = (words: readonly string[]): Promise<Ended> =>
		world.run((context) => expose(context, words, DRY));
	for (const type of ['deployment', 'rs', 'rc'])
		assert.equal(
			(await run([type, 'web'])).stdout,
			'{"ports":[{"port":80,"protocol":"TCP","targetPort":80}],"selector":{"app":"web"}}',
		);
	const matchExpressions = [{ key: 'app', operator: 'In', values: ['web', 'x'] }];
	await add('apps/v1', 'Deployment', `${apps}/deployments`, { matchExpressions }, 'bare');
	await add(
		'apps/v1',
		'ReplicaSet',
		`${apps}/replicasets`,
		{ matchLabels: labels, matchExpressions },
		'both',
	);
	const why = "couldn't retrieve selectors via --selector flag or introspection: ";
	const bare = 'invalid deployment: no selectors, therefore cannot be exposed';
	assert.equal(errorOf(await run(['deployment', 'bare'])), `${why}${bare}`);
	const both =
		'couldn\'t convert expressions - "[{Key:app Operator:In Values:[web x]}]" to map-based selector format';
	assert.equal(errorOf(await run(['rs', 'both'])), `${why}${both}`);
});

test('describe shows a Service with its endpoints, Endpoints and EndpointSlices', async (t) => {
	const world = await CliWorld.open(t);
	const object = {
		apiVersion: 'v1',
		kind: 'Service',
		metadata: { name: 'web' },
		spec: {
			type: 'NodePort',
			clusterIP: '127.96.0.9',
			selector: { app: 'web' },
			ports: [{ name: 'http', port: 80, targetPort: 'http', nodePort: 30_080 }],
		},
	};
	await world.client.transport.request({
		method: 'POST',
		path: '/api/v1/namespaces/default/services',
		body: object,
	});
	const labels = { 'kubernetes.io/service-name': 'web' };
	const targetRef = { kind: 'Pod', name: 'a' };
	await world.client.resource(endpointSlices, 'default').create({
		metadata: { name: 'web-x', labels },
		addressType: 'IPv4',
		endpoints: [
			{ addresses: ['127.0.0.1'], conditions: { ready: true }, targetRef, nodeName: 'here' },
			{ addresses: ['127.0.0.2'], conditions: { ready: false } },
		],
		ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
	} as unknown as EndpointSlice);
	const subsets = [{ addresses: [{ ip: '127.0.0.1' }], ports: [{ port: 8080 }] }];
	await world.client
		.resource(endpoints, 'default')
		.create({ metadata: { name: 'web' }, subsets } as unknown as Endpoints);
	const shown = async (...words: readonly string[]): Promise<string> =>
		(await world.run((context) => describe(context, words, { showEvents: false }))).stdout;
	assert.equal(
		await shown('svc', 'web'),
		`Name:                     web
Namespace:                default
Labels:                   <none>
Annotations:              <none>
Selector:                 app=web
Type:                     NodePort
IP Family Policy:         SingleStack
IP Families:              IPv4
IP:                       127.96.0.9
IPs:                      127.96.0.9
Port:                     http  80/TCP
TargetPort:               http/TCP
NodePort:                 http  30080/TCP
Endpoints:                127.0.0.1:8080
Session Affinity:         None
External Traffic Policy:  Cluster
Internal Traffic Policy:  Cluster
`,
	);
	assert.equal(
		await shown('ep', 'web'),
		`Name:         web
Namespace:    default
Labels:       <none>
Annotations:  <none>
Subsets:
  Addresses:          127.0.0.1
  NotReadyAddresses:  <none>
  Ports:
    Name     Port  Protocol
    ----     ----  --------
    <unset>  8080  TCP

`,
	);
	const slice = await shown('endpointslice', 'web-x');
	assert.match(slice, /^AddressType: {2}IPv4\nPorts:\n {2}Name {2}Port {2}Protocol\n/m);
	assert.match(slice, / {2}- Addresses: {2}127.0.0.1\n {4}Conditions:\n {6}Ready: {4}true\n/);
	assert.match(slice, /TargetRef: {2}Pod\/a\n/);
});

test('describe shows a ServiceCIDR and an IPAddress as kubectl 1.37 does', async (t) => {
	const world = await CliWorld.open(t);
	const shown = async (...words: readonly string[]): Promise<string> =>
		(await world.run((context) => describe(context, words, { showEvents: false }))).stdout;
	const cidrs = world.client.resource(serviceCidrs);
	const spec = { cidrs: ['10.0.0.0/16', '2001:db8::/64'] };
	const apiVersion = 'networking.k8s.io/v1';
	await cidrs.create({ apiVersion, kind: 'ServiceCIDR', metadata: { name: 'c' }, spec, status: {} });
	const head = `Name:         c
Labels:       <none>
Annotations:  <none>
CIDRs:        10.0.0.0/16, 2001:db8::/64
`;
	assert.equal(await shown('servicecidr', 'c'), head);
	const lastTransitionTime = '2026-01-31T08:00:00Z';
	const condition = {
		type: 'Ready',
		status: 'False',
		reason: 'Terminating',
		message: 'text',
		lastTransitionTime,
	};
	await cidrs.patchStatus('c', 'merge', { status: { conditions: [condition] } });
	const [first, table] = (await shown('servicecidr', 'c')).split('Status:\n');
	assert.equal(first, head);
	assert.match(
		table ?? '',
		/^Conditions:\n {2}Type {3}Status {2}LastTransitionTime .* Reason {7}Message\n {2}---- /,
	);
	assert.match(table ?? '', /\n {2}Ready {2}False {3}Sat, 31 Jan 2026 .* Terminating {2}text\n$/);
	await world.run((context) =>
		createService(context, ['web'], { kind: 'clusterip', tcp: ['80'], clusterip: '127.96.0.9' }),
	);
	assert.equal(
		await shown('ip', '127.96.0.9'),
		`Name:         127.96.0.9
Labels:       ipaddress.kubernetes.io/ip-family=IPv4
              ipaddress.kubernetes.io/managed-by=ipallocator.k8s.io
Annotations:  <none>
Parent Reference:
  Group:      
  Resource:   services
  Namespace:  default
  Name:       web
`,
	);
});
