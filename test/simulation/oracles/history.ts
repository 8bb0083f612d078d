import type { ResourceDefinition } from '../../../src/api/contract/resource-definition.ts';
import type { ApiTransport, ApiWatch, WatchEvent } from '../../../src/api/contract/transport.ts';
import type { KubeObject } from '../../../src/api/meta/object-meta.ts';
import { pathOf } from '../../../src/client/client.ts';
import type { Violations } from './violations.ts';

/** Called on every change: both given for an update, only `object` for a creation, only `old` for a removal. */
export type ChangeListener = (object: KubeObject | undefined, old: KubeObject | undefined) => void;

/** The store's contents and the record of all writes, read by watches without injected faults. */
export class History {
	readonly #violations: Violations;
	readonly #listener: ChangeListener;
	readonly #resources: readonly ResourceDefinition[];
	readonly #objects = new Map<string, Map<string, KubeObject>>();
	/** The UID of the object that was written at each resourceVersion. */
	readonly #writes = new Map<string, string>();
	readonly #watches: ApiWatch[] = [];
	#version = 0;

	constructor(options: {
		readonly resources: readonly ResourceDefinition[];
		readonly violations: Violations;
		readonly listener: ChangeListener;
	}) {
		this.#resources = options.resources;
		this.#violations = options.violations;
		this.#listener = options.listener;
		for (const { resource } of options.resources) this.#objects.set(resource, new Map());
	}

	/** Resumes reading at `server`, which has just been started, after the last version read. */
	async follow(server: ApiTransport): Promise<void> {
		for (const watch of this.#watches.splice(0)) watch.stop();
		for (const definition of this.#resources) {
			const query = { watch: 'true', ...(this.#version > 0 && { resourceVersion: String(this.#version) }) };
			const sink = {
				events: (batch: readonly WatchEvent[]) => {
					for (const event of batch) this.#record(definition.resource, event);
				},
				ended: () => undefined,
			};
			this.#watches.push(await server.watch({ method: 'GET', path: pathOf(definition), query }, sink));
		}
	}

	/** Every existing object of a resource. */
	all(resource: string): readonly KubeObject[] {
		return [...(this.#objects.get(resource)?.values() ?? [])];
	}

	/** The existing Pods and Jobs with an owner reference to this UID. */
	dependents(ownerUid: string): readonly KubeObject[] {
		const isDependent = ({ metadata }: KubeObject): boolean =>
			metadata.ownerReferences?.some(({ uid }) => uid === ownerUid) ?? false;
		return ['pods', 'jobs'].flatMap((resource) => this.all(resource).filter(isDependent));
	}

	/** The object with this UID, if it exists. */
	get(resource: string, uid: string): KubeObject | undefined {
		return this.#objects.get(resource)?.get(uid);
	}

	/** The resourceVersion of the last change. */
	get version(): number {
		return this.#version;
	}

	/** Whether the object was written at this resourceVersion. */
	holds(version: string, uid: string): boolean {
		return this.#writes.get(version) === uid;
	}

	#record(resource: string, { type, object }: WatchEvent): void {
		if (type === 'BOOKMARK') return;
		const { uid = '', resourceVersion = '' } = object.metadata;
		const grows = Number(resourceVersion) > Number(this.get(resource, uid)?.metadata.resourceVersion ?? 0);
		this.#violations.check(
			grows,
			9,
			() => `${object.kind} ${object.metadata.name} goes back to ${resourceVersion}`,
		);
		this.#version = Math.max(this.#version, Number(resourceVersion));
		this.#writes.set(resourceVersion, uid);
		const objects = this.#objects.get(resource);
		const old = objects?.get(uid);
		if (type === 'DELETED') {
			objects?.delete(uid);
			this.#listener(undefined, old ?? object);
		} else {
			objects?.set(uid, object);
			this.#listener(object, old);
		}
	}
}
