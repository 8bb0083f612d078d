import { persistentVolumes } from '../../api/core/persistentvolume/definition.ts';
import type { PersistentVolume } from '../../api/core/persistentvolume/schema.ts';
import { classOfClaim } from '../../api/core/persistentvolumeclaim/claim-class.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import type { StorageClass } from '../../api/storage/storageclass/schema.ts';
import { messageOf } from '../../base/message-of.ts';
import { DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import { runTogether } from '../../base/queue/run-together.ts';
import type { Client } from '../../client/client.ts';
import { subjectsIn } from '../../client/conflicts.ts';
import { Controller, type ControllerContext, NO_KEYS, ownKey, watch } from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, splitKey } from '../../client/informer.ts';
import { uidPrecondition, unlessGone, unlessOvertaken } from '../../client/outcomes.ts';
import { StorageWriter } from '../../client/storage-writer.ts';
import {
	EXPANDED,
	expandedPatch,
	expandedVolumePatch,
	expandingEvent,
	expandingPatch,
	expansionSize,
} from '../../plan/storage/expansion.ts';
import {
	isLocalVolume,
	localVolume,
	type ProvisionPlan,
	planProvision,
	planRemoval,
	provisioningEvent,
	provisioningFailure,
	provisioningSuccess,
	removalFailure,
	withoutProvisioner,
} from '../../plan/storage/local-volume.ts';

/** The folders of the volumes on one node. Names are single components of a path. */
export interface VolumeFolders {
	/** Creates the folder, with mode 0777, unless it exists; resolves to its absolute path. */
	make(name: string): Promise<string>;
	/** Removes the folder and all it contains; symbolic links in it are not followed. No error if it is missing. */
	remove(name: string): Promise<void>;
}

/** The dependencies of the local provisioner. */
export interface LocalProvisionerOptions extends ControllerContext {
	readonly client: Client;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly claims: Informer<PersistentVolumeClaim>;
	readonly volumes: Informer<PersistentVolume>;
	readonly classes: Informer<StorageClass>;
	/** The node that the folders are on. */
	readonly nodeName: string;
	readonly folders: VolumeFolders;
}

/**
 * The provisioner `stint.io/local`: creates a folder and a PersistentVolume for each claim that the scheduler has
 * placed on its node, expands those of claims that grow, and removes the folders of released ones. plan/storage/local-volume.ts decides.
 *
 * 1. The folder exists before the volume does, and the volume disappears only after its folder.
 * 2. A pass that was interrupted is repeated: making a folder and removing one can be done twice.
 */
export class LocalProvisioner {
	readonly #options: LocalProvisionerOptions;
	readonly #writer: StorageWriter;
	readonly #claims: Controller;
	readonly #volumes: Controller;

	constructor(options: LocalProvisionerOptions) {
		const { claims, volumes, classes } = options;
		this.#options = options;
		this.#writer = new StorageWriter(options.client);
		const backoff = { baseMs: 100, capMs: 60_000 };
		this.#claims = new Controller(
			{
				name: 'local_claims',
				watches: [watch(classes, () => NO_KEYS), watch(claims, ownKey)],
				workers: 4,
				backoff,
				subjects: subjectsIn(claims),
				reconcile: (key) => this.#provision(key),
			},
			options,
		);
		this.#volumes = new Controller(
			{
				name: 'local_volumes',
				watches: [watch(volumes, ownKey)],
				workers: 2,
				backoff,
				subjects: subjectsIn(volumes),
				reconcile: (name) => this.#remove(name),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or the informers are stopped. */
	async run(signal: AbortSignal): Promise<void> {
		await runTogether([(stop) => this.#claims.run(stop), (stop) => this.#volumes.run(stop)], signal);
	}

	async #provision(key: string): Promise<Outcome> {
		const { claims, classes, nodeName, recorder } = this.#options;
		const { namespace, name } = splitKey(key);
		const claim = claims.get(namespace, name);
		const storageClass = claim && classes.get('', classOfClaim(claim));
		if (!claim || !storageClass) return DONE;
		if (claim.spec.volumeName) return this.#expand(claim);
		const plan = planProvision(claim, storageClass, nodeName);
		if (plan.kind === 'fail') recorder.event(claim, plan.event);
		if (plan.kind !== 'provision' || this.#options.volumes.get('', plan.volumeName)) return DONE;
		recorder.event(claim, provisioningEvent(claim));
		try {
			await this.#create(claim, storageClass, plan);
		} catch (error) {
			recorder.event(claim, provisioningFailure(classOfClaim(claim), messageOf(error)));
			throw error;
		}
		recorder.event(claim, provisioningSuccess(plan.volumeName));
		return DONE;
	}

	/** Expands the volume of a bound claim that has grown: a folder has no size, so that only the objects change. */
	async #expand(claim: PersistentVolumeClaim): Promise<Outcome> {
		const { volumes, recorder, clock } = this.#options;
		const volume = volumes.get('', claim.spec.volumeName ?? '');
		const size = expansionSize(claim, volume);
		if (!volume || size === undefined || !isLocalVolume(volume)) return DONE;
		const growing = await this.#writer.claimStatus(claim, expandingPatch(claim, size, clock.now()));
		recorder.event(claim, expandingEvent(volume.metadata.name ?? ''));
		await this.#writer.volume(volume, expandedVolumePatch(volume, size));
		await this.#writer.claimStatus(growing, expandedPatch(growing, size));
		recorder.event(claim, EXPANDED);
		return DONE;
	}

	async #create(
		claim: PersistentVolumeClaim,
		storageClass: StorageClass,
		{ volumeName, folder }: Extract<ProvisionPlan, { kind: 'provision' }>,
	): Promise<void> {
		const { client, folders, nodeName } = this.#options;
		const path = await folders.make(folder);
		const volume = localVolume(claim, storageClass, { volumeName, path, nodeName });
		try {
			await client.resource(persistentVolumes).create(volume);
		} catch (error) {
			if (!isApiError(error, 'AlreadyExists')) throw error;
		}
	}

	async #remove(name: string): Promise<Outcome> {
		const { volumes, nodeName, folders, recorder } = this.#options;
		const volume = volumes.get('', name);
		if (!volume) return DONE;
		const plan = planRemoval(volume, nodeName);
		if (plan.kind === 'none') return DONE;
		if (plan.kind === 'remove') {
			try {
				await folders.remove(plan.folder);
			} catch (error) {
				recorder.event(volume, removalFailure(messageOf(error)));
				throw error;
			}
		}
		await this.#letGo(volume, plan.kind === 'remove');
		return DONE;
	}

	/** Deletes the object if `deletes`, and removes the finalizer that kept it. */
	async #letGo(volume: PersistentVolume, deletes: boolean): Promise<void> {
		const target = this.#options.client.resource(persistentVolumes);
		const { name = '', uid } = volume.metadata;
		if (deletes && !volume.metadata.deletionTimestamp) {
			await unlessOvertaken(target.delete(name, uidPrecondition(volume)));
		}
		const live = await unlessGone(target.get(name));
		if (!live || live.metadata.uid !== uid) return;
		const finalizers = withoutProvisioner(live);
		if (!finalizers) return;
		const { resourceVersion } = live.metadata;
		await unlessGone(target.patch(name, 'merge', { metadata: { uid, resourceVersion, finalizers } }));
	}
}
