import { isOfKind } from '../../api/contract/resource-definition.ts';
import { services } from '../../api/core/service/definition.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import { awaitsFinalizers } from '../../api/meta/finalizers.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { formatTime } from '../../api/meta/time.ts';
import { ipAddresses } from '../../api/networking/ipaddress/definition.ts';
import { assert } from '../../base/assert.ts';
import {
	clusterIpsOf,
	ipAddressOf,
	isManaged,
	refersTo,
} from '../../plan/services/allocation/ip-address-of.ts';
import type { ServerContext } from '../context.ts';
import type { CreateTarget, Encoded, ObjectWriter } from '../storage/compare-and-swap.ts';
import type { ResourceCache } from '../storage/resource-cache.ts';
import type { StoredObject } from '../storage/stored-object.ts';

/**
 * Writes Services, and beside each of their addresses an IPAddress (upstream: `createIPAddress` and `release` in
 * pkg/registry/core/service/ipallocator/ipallocator.go).
 *
 * 1. The IPAddress is created before the Service is written, and removed after the Service no longer has the address. The
 *    store refuses a second IPAddress of that name, so no two writers give the same address away.
 * 2. A crash in between leaves an IPAddress without Service. It keeps the address from others until the repair of
 *    IPAddresses, in the controllers, removes it.
 */
export class ServiceWriter implements ObjectWriter {
	readonly #server: ServerContext;
	readonly #inner: ObjectWriter;
	readonly #addresses: ResourceCache;

	/** `inner` writes the objects of both kinds. */
	constructor(server: ServerContext, inner: ObjectWriter) {
		this.#server = server;
		this.#inner = inner;
		const addresses = server.cache.stored(ipAddresses.group, ipAddresses.resource);
		assert(addresses !== undefined, 'a server of Services has IPAddresses');
		this.#addresses = addresses;
	}

	/** Resolves to undefined if one of the addresses was given to another owner meanwhile. */
	async create(target: CreateTarget, next: Encoded): Promise<StoredObject | undefined> {
		const { namespace = '', name = '' } = next.object.metadata;
		// A Service whose name is taken needs no addresses: the write is refused.
		if (target.resource.get(namespace, name)) return this.#inner.create(target, next);
		return this.#withAddresses(next.object, addressesOf(next.object), () => this.#inner.create(target, next));
	}

	async update(current: StoredObject, next: Encoded): Promise<StoredObject | undefined> {
		const before = addressesOf(current.object);
		const after = addressesOf(next.object);
		const added = after.filter((address) => !before.includes(address));
		const stored = await this.#withAddresses(next.object, added, () => this.#inner.update(current, next));
		const released = before.filter((address) => !after.includes(address));
		if (stored) await this.#release(current.object, released);
		return stored;
	}

	async remove(current: StoredObject): Promise<StoredObject | undefined> {
		const last = await this.#inner.remove(current);
		if (last) await this.#release(current.object, addressesOf(current.object));
		return last;
	}

	/** Performs a write that gives a Service these addresses. Resolves to undefined, after undoing it, if one is taken. */
	async #withAddresses(
		service: KubeObject,
		addresses: readonly string[],
		write: () => Promise<StoredObject | undefined>,
	): Promise<StoredObject | undefined> {
		let stored: StoredObject | undefined;
		const claims: StoredObject[] = [];
		try {
			for (const address of addresses) {
				const claim = await this.#claim(service, address);
				if (!claim) return undefined;
				claims.push(claim);
			}
			stored = await write();
			return stored;
		} finally {
			if (!stored) for (const claim of claims) await this.#remove(claim);
		}
	}

	/** Creates the IPAddress; undefined if there is one already. */
	async #claim(service: KubeObject, address: string): Promise<StoredObject | undefined> {
		const resource = this.#addresses;
		const { clock, random } = this.#server;
		const { metadata, ...rest } = ipAddressOf(address, service);
		const identity = { uid: random.uuid(), creationTimestamp: formatTime(clock.now()) };
		const object = { ...rest, metadata: { ...metadata, ...identity } };
		try {
			const value = resource.codec.encode(object);
			return await this.#inner.create({ resource, definition: ipAddresses }, { object, value });
		} catch (error) {
			if (isApiError(error, 'AlreadyExists')) return undefined;
			throw error;
		}
	}

	/** Removes the IPAddresses of a Service, except for those that finalizers keep: the repair deletes them. */
	async #release(service: KubeObject, addresses: readonly string[]): Promise<void> {
		for (const address of addresses) {
			const stored = this.#addresses.get('', address);
			if (stored && isOwnOf(stored.object, service) && !awaitsFinalizers(stored.object))
				await this.#remove(stored);
		}
	}

	/** Does not fail, since the write of the Service has ended: the repair deletes the IPAddresses that remain. */
	async #remove(address: StoredObject): Promise<void> {
		try {
			await this.#inner.remove(address);
		} catch (error) {
			this.#server.onError(`release of the address ${address.object.metadata.name}`, error);
		}
	}
}

function addressesOf(service: KubeObject): readonly string[] {
	return isOfKind(service, services) ? clusterIpsOf(service) : [];
}

function isOwnOf(object: KubeObject, service: KubeObject): boolean {
	return isOfKind(object, ipAddresses) && isManaged(object) && refersTo(object, service);
}
