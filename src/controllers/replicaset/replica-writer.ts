import type { ReplicaSetStatus } from '../../api/apps/replicaset/schema.ts';
import { pods } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { ApiError, isNamespaceTerminating } from '../../api/errors/api-error.ts';
import { controllerReferenceTo } from '../../api/meta/controller-reference.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { messageOf } from '../../base/message-of.ts';
import { checkOwner } from '../../client/adoption.ts';
import type { Client, ResourceClient } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { isGone, isOvertaken, revisionOfAnswer, uidPrecondition } from '../../client/outcomes.ts';
import type { ReplicaKind } from './replica-kinds.ts';

/** The dependencies of a {@link ReplicaWriter}. */
export interface ReplicaWriterOptions<T extends KubeObject> {
	readonly client: Client;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly kind: ReplicaKind<T>;
}

/**
 * The writes of one pass over one ReplicaSet or ReplicationController, each with upstream's Events (RealPodControl). The
 * next pass must see them all: `podVersion` and `ownerVersion` are the resourceVersions that the informers must have
 * reached by then, `gone` lists the Pods that they must no longer show.
 */
export class ReplicaWriter<T extends KubeObject> {
	readonly #object: T;
	readonly #options: ReplicaWriterOptions<T>;
	readonly #owners: ResourceClient<T>;
	readonly #pods: ResourceClient<Pod>;
	readonly gone: Pod[] = [];
	#podVersion = 0;
	#ownerVersion = 0;
	#mayHaveCreated = false;

	constructor(object: T, options: ReplicaWriterOptions<T>) {
		const { namespace } = object.metadata;
		this.#object = object;
		this.#options = options;
		this.#owners = options.client.resource(options.kind.definition, namespace);
		this.#pods = options.client.resource(pods, namespace);
	}

	/** The highest resourceVersion that a write to a Pod returned; '0' if there was none. */
	get podVersion(): string {
		return `${this.#podVersion}`;
	}

	/** The resourceVersion that the status write returned; '0' if there was none. */
	get ownerVersion(): string {
		return `${this.#ownerVersion}`;
	}

	/** Whether a creation failed without revealing if the Pod exists: by a lost connection or a 5xx response. */
	get mayHaveCreated(): boolean {
		return this.#mayHaveCreated;
	}

	/** Sets the object as the controller of the Pod. Rejects like {@link checkOwner} if the cached one is stale. */
	async adopt({ metadata }: Pod): Promise<void> {
		await checkOwner(this.#owners, this.#options.kind.definition, this.#object);
		const ownerReferences = [controllerReferenceTo(this.#object)];
		await this.#patch(metadata.name, { uid: metadata.uid, ownerReferences });
	}

	/** Removes the owner reference from a Pod that the selector no longer matches. */
	async release(pod: Pod): Promise<void> {
		const { name, uid } = pod.metadata;
		const ownerReferences = [{ $patch: 'delete', uid: this.#object.metadata.uid }];
		try {
			await this.#patch(name, { uid, ownerReferences });
		} catch (error) {
			if (!isGone(error)) throw error;
			this.gone.push(pod);
		}
	}

	/** Creates the Pod. Resolves without it if its namespace is being deleted. */
	async create(pod: Pod): Promise<void> {
		try {
			const created = await this.#pods.create(pod);
			this.#seePod(created);
			this.#event('Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`);
		} catch (error) {
			if (isNamespaceTerminating(error)) return;
			if (!(error instanceof ApiError) || error.code >= 500) this.#mayHaveCreated = true;
			this.#event('Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
			throw error;
		}
	}

	/** Deletes the Pod of this UID. */
	async delete(pod: Pod): Promise<void> {
		const { name = '' } = pod.metadata;
		try {
			const answer = await this.#pods.delete(name, uidPrecondition(pod));
			const revision = revisionOfAnswer(answer);
			// A Pod that the API server removes at once is answered with a Status, which has no version to wait for.
			if (revision === 0) this.gone.push(pod);
			else this.#seePod(answer);
			this.#event('Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
		} catch (error) {
			// The Pod is gone, or another Pod has its name.
			if (isOvertaken(error)) {
				this.gone.push(pod);
				return;
			}
			this.#event('Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
			throw new Error(`unable to delete pods: ${messageOf(error)}`, { cause: error });
		}
	}

	/** Writes the status; the resourceVersion of the object that the pass has read guards the write. */
	async updateStatus(status: ReplicaSetStatus): Promise<void> {
		const stored = await this.#owners.update(this.#options.kind.withStatus(this.#object, status), 'status');
		this.#ownerVersion = revisionOfAnswer(stored);
	}

	#event(type: 'Normal' | 'Warning', reason: string, message: string): void {
		this.#options.recorder.event(this.#object, { type, reason, message });
	}

	async #patch(name: string | undefined, metadata: unknown): Promise<void> {
		this.#seePod(await this.#pods.patch(name ?? '', 'strategic', { metadata }));
	}

	#seePod(answer: unknown): void {
		this.#podVersion = Math.max(this.#podVersion, revisionOfAnswer(answer));
	}
}
