import { isOfKind } from '../../api/contract/resource-definition.ts';
import { services } from '../../api/core/service/definition.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import { awaitsFinalizers } from '../../api/meta/finalizers.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { formatTime } from '../../api/meta/time.ts';
import { ipAddresses } from '../../api/networking/ipaddress/definition.ts';
import { heldBy } from '../../plan/services/allocation/held.ts';
import { ipAddressOf, isManaged, refersTo } from '../../plan/services/allocation/ip-address-of.ts';
import { addressText } from '../../plan/services/allocation/ranges.ts';
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
	readonly #addresses: ResourceCache | undefined;

	/** `inner` writes the objects of both kinds. */
	constructor(server: ServerContext, inner: ObjectWriter) {
		this.#server = server;
		this.#inner = inner;
		this.#addresses = server.cache.stored(ipAddresses.group, ipAddresses.resource);
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
		const claimed: string[] = [];
		try {
			for (const address of addresses) {
				if (!(await this.#claim(service, address))) return undefined;
				claimed.push(address);
			}
			stored = await write();
			return stored;
		} finally {
			if (!stored) await this.#release(service, claimed);
		}
	}

	/** Creates the IPAddress; false if there is one already. */
	async #claim(service: KubeObject, address: string): Promise<boolean> {
		const resource = this.#addresses;
		if (!resource) return true;
		const { clock, random } = this.#server;
		const { metadata, ...rest } = ipAddressOf(address, service);
		const identity = { uid: random.uuid(), creationTimestamp: formatTime(clock.now()) };
		const object = { ...rest, metadata: { ...metadata, ...identity } };
		try {
			const value = resource.codec.encode(object);
			await this.#inner.create({ resource, definition: ipAddresses }, { object, value });
			return true;
		} catch (error) {
			if (isApiError(error, 'AlreadyExists')) return false;
			throw error;
		}
	}

	/**
	 * Removes the IPAddresses of a Service. It does not fail, since the Service is written: the repair removes the IPAddresses that
	 * remain. It does so with those that have finalizers, too.
	 */
	async #release(service: KubeObject, addresses: readonly string[]): Promise<void> {
		for (const address of addresses) {
			const stored = this.#addresses?.get('', address);
			if (!stored || !isOwnOf(stored.object, service) || awaitsFinalizers(stored.object)) continue;
			try {
				await this.#inner.remove(stored);
			} catch (error) {
				this.#server.onError(`release of the address ${address}`, error);
			}
		}
	}
}

function addressesOf(service: KubeObject): readonly string[] {
	return isOfKind(service, services) ? [...heldBy(service.spec).addresses].map(addressText) : [];
}

function isOwnOf(object: KubeObject, service: KubeObject): boolean {
	return isOfKind(object, ipAddresses) && isManaged(object) && refersTo(object, service);
}
