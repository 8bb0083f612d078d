import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../../api/core/service/schema.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import type { IpAddressObject } from '../../api/networking/ipaddress/schema.ts';
import { MemoryStore } from '../../store/memory/memory-store.ts';
import { KeyExistsError, type Revision, type Write } from '../../store/store.ts';
import { openTestServer, refusal, type TestServer } from '../testing/server-contract-suite.ts';

const SERVICES = '/api/v1/namespaces/default/services';
const ADDRESSES = '/apis/networking.k8s.io/v1/ipaddresses';
const CIDRS = '/apis/networking.k8s.io/v1/servicecidrs';

async function create({ server }: TestServer, name: string, spec: object = {}): Promise<string> {
	const metadata = { name };
	const body = { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }], ...spec } };
	const { object } = await server.request({ method: 'POST', path: SERVICES, body });
	return (object as unknown as Service).spec.clusterIP ?? ''; // `as`: the path is that of Services.
}

async function reserve({ server }: TestServer, metadata: object): Promise<void> {
	const spec = { parentRef: { group: 'example.com', resource: 'gateways', name: 'g' } };
	const body = {
		apiVersion: 'networking.k8s.io/v1',
		kind: 'IPAddress',
		metadata,
		spec,
	};
	await server.request({ method: 'POST', path: ADDRESSES, body });
}

/** The IPAddress of this name; undefined if there is none. */
async function find({ server }: TestServer, name: string): Promise<IpAddressObject | undefined> {
	try {
		const { object } = await server.request({ method: 'GET', path: `${ADDRESSES}/${name}` });
		return object as unknown as IpAddressObject; // `as`: the path is that of an IPAddress.
	} catch (error) {
		if (isApiError(error, 'NotFound')) return undefined;
		throw error;
	}
}

const names = async ({ server }: TestServer): Promise<readonly unknown[]> => {
	const { object } = await server.request({ method: 'GET', path: ADDRESSES });
	const { items } = object as unknown as { readonly items: readonly IpAddressObject[] }; // `as`: a list of the path.
	return items.map(({ metadata }) => metadata.name);
};

test('each address of a Service has an IPAddress, which is removed with the Service', async () => {
	const world = await openTestServer();
	const address = await create(world, 'web');
	const made = await find(world, address);
	assert.deepEqual(made?.metadata.labels, {
		'ipaddress.kubernetes.io/ip-family': 'IPv4',
		'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
	});
	assert.deepEqual(made?.spec.parentRef, { resource: 'services', namespace: 'default', name: 'web' });
	assert.match(made?.metadata.creationTimestamp ?? '', /Z$/);
	await create(world, 'headless', { clusterIP: 'None', selector: { a: 'b' } });
	assert.deepEqual(await names(world), [address]);
	await world.server.request({ method: 'DELETE', path: `${SERVICES}/web` });
	assert.deepEqual(await names(world), []);
});

test('writes that are refused, dry or overtaken leave no IPAddress, and a change of the type releases it', async () => {
	const world = await openTestServer();
	const address = await create(world, 'web');
	assert.equal((await refusal(create(world, 'web'))).reason, 'AlreadyExists');
	await Promise.allSettled([create(world, 'x'), create(world, 'x'), create(world, 'x')]);
	assert.equal((await names(world)).length, 2);
	await world.server.request({ method: 'DELETE', path: `${SERVICES}/x` });
	const patch = async (spec: object, query: Record<string, string> = {}): Promise<void> => {
		const contentType = 'application/merge-patch+json';
		const path = `${SERVICES}/web`;
		await world.server.request({ method: 'PATCH', path, body: { spec }, contentType, query });
	};
	const alias = { type: 'ExternalName', externalName: 'example.com' };
	await patch(alias, { dryRun: 'All' });
	assert.deepEqual(await names(world), [address]);
	await patch(alias);
	assert.deepEqual(await names(world), []);
	await patch({ type: 'ClusterIP', externalName: null });
	assert.equal((await names(world)).length, 1);
	assert.deepEqual(world.faults, []);
});

test('an IPAddress reserves its address, and one that a crash has left does so after a restart', async () => {
	const world = await openTestServer();
	await reserve(world, { name: '127.96.7.7' });
	const text =
		'Service "web" is invalid: spec.clusterIPs: Invalid value: ["127.96.7.7"]: failed to allocate IP 127.96.7.7: provided IP is already allocated';
	assert.equal((await refusal(create(world, 'web', { clusterIP: '127.96.7.7' }))).message, text);
	const restarted = await openTestServer({ store: world.store });
	assert.equal((await refusal(create(restarted, 'web', { clusterIP: '127.96.7.7' }))).message, text);
	await restarted.server.request({ method: 'DELETE', path: `${ADDRESSES}/127.96.7.7` });
	assert.equal(await create(restarted, 'web', { clusterIP: '127.96.7.7' }), '127.96.7.7');
});

test('the generateName of an IPAddress becomes its name without a suffix', async () => {
	const world = await openTestServer();
	await reserve(world, { generateName: '127.96.7.7' });
	assert.deepEqual(await names(world), ['127.96.7.7']);
	const taken = await refusal(reserve(world, { generateName: '127.96.7.7' }));
	assert.match(
		taken.message,
		/"127\.96\.7\.7" already exists, the server was not able to generate a unique name/,
	);
	assert.match(
		(await refusal(reserve(world, { generateName: '127.96.7.' }))).message,
		/metadata\.name: Invalid value/,
	);
});

test('an IPAddress that another owner or a finalizer keeps is not removed with a Service', async () => {
	const world = await openTestServer();
	const address = await create(world, 'web');
	const contentType = 'application/merge-patch+json';
	const body = { metadata: { finalizers: ['example.com/f'] } };
	await world.server.request({ method: 'PATCH', path: `${ADDRESSES}/${address}`, body, contentType });
	await world.server.request({ method: 'DELETE', path: `${SERVICES}/web` });
	assert.deepEqual(await names(world), [address]);
});

/** Refuses the next creates of IPAddresses, as if another server had just made them. */
class ContendedStore extends MemoryStore {
	refusals = 0;

	override async write(write: Write): Promise<Revision> {
		if (write.type === 'create' && write.key.includes('/ipaddresses/') && this.refusals > 0) {
			this.refusals -= 1;
			throw new KeyExistsError(write.key);
		}
		return super.write(write);
	}
}

test('a write whose address another server takes at the same time gets another one', async () => {
	const store = new ContendedStore();
	const world = await openTestServer({ store });
	store.refusals = 3;
	const address = await create(world, 'web');
	assert.deepEqual(await names(world), [address]);
	store.refusals = 1000;
	assert.equal((await refusal(create(world, 'other'))).reason, 'Conflict');
	store.refusals = 0;
	assert.deepEqual(await names(world), [address]);
});

test('addresses of a ServiceCIDR are allocated while it is ready', async () => {
	const world = await openTestServer();
	const post = async (name: string, cidr: string, status: string): Promise<void> => {
		const body = {
			apiVersion: 'networking.k8s.io/v1',
			kind: 'ServiceCIDR',
			metadata: { name },
			spec: { cidrs: [cidr] },
		};
		await world.server.request({ method: 'POST', path: CIDRS, body });
		const condition = { type: 'Ready', status, reason: '', message: '', lastTransitionTime: null };
		const contentType = 'application/merge-patch+json';
		const patch = { status: { conditions: [condition] } };
		await world.server.request({
			method: 'PATCH',
			path: `${CIDRS}/${name}/status`,
			body: patch,
			contentType,
		});
	};
	const outside = { clusterIP: '127.80.1.1' };
	assert.match((await refusal(create(world, 'a', outside))).message, /does not match the current range/);
	await post('more', '127.80.0.0/16', 'True');
	assert.equal(await create(world, 'a', outside), '127.80.1.1');
	assert.match(await create(world, 'b'), /^127\.96\./);
	await post('own', '127.96.0.0/16', 'False');
	assert.match(await create(world, 'c'), /^127\.80\./);
	await post('far', '203.0.113.0/24', 'True');
	const far = await refusal(create(world, 'd', { clusterIP: '203.0.113.7' }));
	assert.match(far.message, /does not match the current range/);
});
