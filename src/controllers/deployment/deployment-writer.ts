import { deployments } from '../../api/apps/deployment/definition.ts';
import type { Deployment } from '../../api/apps/deployment/schema.ts';
import { replicaSets } from '../../api/apps/replicaset/definition.ts';
import type { ReplicaSet } from '../../api/apps/replicaset/schema.ts';
import type { EventText } from '../../api/core/event/event-text.ts';
import { isApiError, isNamespaceTerminating } from '../../api/errors/api-error.ts';
import { controllerOf, controllerReferenceTo } from '../../api/meta/controller-reference.ts';
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/message-of.ts';
import { checkOwner } from '../../client/adoption.ts';
import type { Client, ResourceClient } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { isGone, revisionOfAnswer, uidPrecondition, unlessGone } from '../../client/outcomes.ts';
import { afterCollision, type SetUpdate, scalingEvent } from '../../plan/deployment/plan.ts';
import {
	afterFailedCreation,
	failedCreationText,
	SET_CREATE_ERROR,
} from '../../plan/deployment/plan-deployment.ts';
import { isSameTemplate } from '../../plan/deployment/template-hash.ts';

/** The dependencies of a {@link DeploymentWriter}. */
export interface DeploymentWriterOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly recorder: Pick<EventRecorder, 'event'>;
}

/**
 * The writes of one pass over one Deployment, with upstream's Events. The next pass must see them all: `setVersion` and
 * `deploymentVersion` are the resourceVersions that the informers must have reached by then, `gone` lists the ReplicaSets
 * that they must no longer show.
 */
export class DeploymentWriter {
	readonly #deployment: Deployment;
	readonly #options: DeploymentWriterOptions;
	readonly #deployments: ResourceClient<Deployment>;
	readonly #sets: ResourceClient<ReplicaSet>;
	readonly gone: ReplicaSet[] = [];
	#setVersion = 0;
	#deploymentVersion = 0;

	constructor(deployment: Deployment, options: DeploymentWriterOptions) {
		const { namespace } = deployment.metadata;
		this.#deployment = deployment;
		this.#options = options;
		this.#deployments = options.client.resource(deployments, namespace);
		this.#sets = options.client.resource(replicaSets, namespace);
	}

	/** The highest resourceVersion that a write to a ReplicaSet returned; '0' if there was none. */
	get setVersion(): string {
		return `${this.#setVersion}`;
	}

	/** The resourceVersion that the status write returned; '0' if there was none. */
	get deploymentVersion(): string {
		return `${this.#deploymentVersion}`;
	}

	/**
	 * Sets the Deployment as the controller of the ReplicaSet. Rejects like {@link checkOwner} if the cached one is stale.
	 */
	async adopt({ metadata }: ReplicaSet): Promise<void> {
		await checkOwner(this.#deployments, deployments, this.#deployment);
		const ownerReferences = [controllerReferenceTo(this.#deployment)];
		await this.#patch(metadata.name, { uid: metadata.uid, ownerReferences });
	}

	/** Removes the owner reference from a ReplicaSet that the selector does not match. */
	async release(set: ReplicaSet): Promise<void> {
		const { name, uid } = set.metadata;
		const ownerReferences = [{ $patch: 'delete', uid: this.#deployment.metadata.uid }];
		try {
			await this.#patch(name, { uid, ownerReferences });
		} catch (error) {
			if (!isGone(error)) throw error;
			this.gone.push(set);
		}
	}

	/**
	 * Creates the ReplicaSet of a new template. Resolves to false if there is nothing more to do in this pass: the name is
	 * taken, which is noted in the status for the next pass, or the namespace is being deleted. Rejects with other errors,
	 * after they are noted too.
	 */
	async create(set: ReplicaSet): Promise<boolean> {
		const { name = '' } = set.metadata;
		try {
			const created = await this.#sets.create(set);
			this.#seeSet(created);
			this.#announceScaling({ set: created, from: 0 });
			return true;
		} catch (error) {
			if (isNamespaceTerminating(error)) return false;
			if (isApiError(error, 'AlreadyExists')) return this.#examine(set);
			const failed = { name, message: messageOf(error), now: this.#options.clock.now() };
			this.#event({ type: 'Warning', reason: SET_CREATE_ERROR, message: failedCreationText(failed) });
			const noted = afterFailedCreation(this.#deployment, failed);
			if (noted !== this.#deployment) await this.updateStatus(noted);
			throw error;
		}
	}

	/**
	 * Looks at the ReplicaSet that has the name of the new one. If it is the one that was meant, the informer will show it.
	 * Otherwise the status gets another collisionCount, from which the next pass makes another name.
	 */
	async #examine({ metadata, spec }: ReplicaSet): Promise<boolean> {
		const found = await unlessGone(this.#sets.get(metadata.name ?? ''));
		if (!found) return false;
		this.#seeSet(found);
		const isOwn = controllerOf(found)?.uid === this.#deployment.metadata.uid;
		if (isOwn && isSameTemplate(found.spec.template, spec.template)) return false;
		await this.updateStatus({ ...this.#deployment, status: afterCollision(this.#deployment) });
		return false;
	}

	/** Writes the size and annotations; the resourceVersion that the plan was made from guards the write. */
	async update(change: SetUpdate): Promise<void> {
		this.#seeSet(await this.#sets.update(change.set));
		this.#announceScaling(change);
	}

	/** Deletes the ReplicaSet of this UID; the garbage collector deletes its Pods, if it has any. */
	async delete(set: ReplicaSet): Promise<void> {
		const answer = await unlessGone(this.#sets.delete(set.metadata.name ?? '', uidPrecondition(set)));
		const revision = revisionOfAnswer(answer);
		// One that is removed at once is answered with a Status, which has no version to wait for.
		if (revision === 0) this.gone.push(set);
		else this.#seeSet(answer);
	}

	/** Writes the status and the revision, which is an annotation. */
	async updateStatus(deployment: Deployment): Promise<void> {
		this.#deploymentVersion = revisionOfAnswer(await this.#deployments.update(deployment, 'status'));
	}

	#announceScaling(change: SetUpdate): void {
		const event = scalingEvent(change);
		if (event) this.#event(event);
	}

	#event(text: EventText): void {
		this.#options.recorder.event(this.#deployment, text);
	}

	async #patch(name: string | undefined, metadata: unknown): Promise<void> {
		this.#seeSet(await this.#sets.patch(name ?? '', 'strategic', { metadata }));
	}

	#seeSet(answer: unknown): void {
		this.#setVersion = Math.max(this.#setVersion, revisionOfAnswer(answer));
	}
}
