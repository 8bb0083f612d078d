/** The containers of this server that the runtime has: found, created, started, removed. */
import type { ContainerConfig } from '../../../api/contract/container-config.ts';
import type { ContainerUsage } from '../../../api/contract/usage.ts';
import { sleep } from '../../../base/clock.ts';
import { ConcurrencyLimit } from '../../../base/queue/concurrency-limit.ts';
import { ContainerStartError, type RuntimeContainer, RuntimeUnavailable } from '../../contract.ts';
import { factsOf, type LabelledFacts } from '../../engines/container-facts.ts';
import { OWNER_LABEL, type Owner } from '../../engines/owner.ts';
import { shortageOf } from '../../engines/shortage.ts';
import { containerIdOf } from '../../ids.ts';
import { verifyNonRoot } from '../../non-root.ts';
import { CriError, isNotFound } from '../client/cri-client.ts';
import { CONTAINER, type CriMount } from '../client/cri-messages.ts';
import { CRI } from '../client/cri-methods.ts';
import type { Given } from '../client/message.ts';
import type { CriImages } from '../images/cri-images.ts';
import { containerRequest, type KeptContainer, readContainer } from './container-request.ts';
import { type CriContext, criStatusOf, TrackedCriContainer } from './cri-container.ts';
import type { CriSandbox } from './cri-sandboxes.ts';
import { type CriStatus, criStateOf } from './cri-state.ts';
import { mountRequests } from './mount-requests.ts';
import { ProcessGroup } from './process-group.ts';
import { criUsageOf } from './usage.ts';

/** What the containers of a server depend on. */
export interface CriContainersOptions extends CriContext {
	readonly images: CriImages;
	readonly owner: Owner;
	/** How many processes a container may have; 0: no limit. */
	readonly maxPids: number;
	readonly hasRecursiveReadOnly: boolean;
	sandboxOf(id: string): CriSandbox | undefined;
}

/** How many containers are asked for at once. */
const QUESTIONS = 8;

/** How often the control group of a started container is looked for. */
const GROUP_LOOKS = 50;
const GROUP_MS = 20;

/** See the header of this file. */
export class CriContainers {
	readonly #options: CriContainersOptions;
	readonly #byId = new Map<string, TrackedCriContainer>();
	/** By container, the mounts that it was created with, and its configuration, if a start has to check them again. */
	readonly #mounts = new Map<
		string,
		{ readonly config: ContainerConfig; readonly mounts: readonly Given<typeof CriMount>[] }
	>();
	/** How often containers were created: one that is newer than a list is not missing in it. */
	#changes = 0;
	/** The runtime's ids of containers that are being removed. */
	readonly #removing = new Set<string>();

	constructor(options: CriContainersOptions) {
		this.#options = options;
	}

	get(id: string): TrackedCriContainer | undefined {
		return this.#byId.get(id);
	}

	all(): readonly TrackedCriContainer[] {
		return [...this.#byId.values()];
	}

	/** The containers of a sandbox. */
	of(sandboxId: string): readonly TrackedCriContainer[] {
		return this.all().filter(({ facts }) => facts.sandboxId === sandboxId);
	}

	/** Reads all containers from the runtime: finds those of earlier servers, and reports what has changed. */
	async synchronize(): Promise<void> {
		const { client, owner } = this.#options;
		const changes = this.#changes;
		const filter = { labelSelector: { [OWNER_LABEL]: owner.id } };
		const { containers } = await client.call(CRI.listContainers, { filter });
		const states = new Map(containers.map(({ id, state }) => [id, state]));
		const known = new Map(this.all().map((container) => [container.criId, container]));
		const limit = new ConcurrencyLimit(QUESTIONS);
		const added = containers
			.filter(({ id, labels }) => !known.has(id) && labels[OWNER_LABEL] === owner.id)
			.map(({ id, annotations }) =>
				limit.run(async () => {
					const kept = readContainer(annotations);
					if (!kept || this.#byId.has(kept.facts.id)) return;
					const status = await criStatusOf(client, id);
					if (status) this.#track(kept, status);
				}),
			);
		const changed = [...known.values()]
			.filter(({ criId, status }) => {
				const state = states.get(criId);
				if (state !== undefined) return isNews(status, state);
				return changes === this.#changes && !this.#removing.has(criId);
			})
			.map((container) => limit.run(() => container.refresh()));
		await Promise.all([...added, ...changed]);
	}

	/** Rejects the calls that wait for an exit: the runtime is lost. */
	abandon(): void {
		const error = new RuntimeUnavailable('the connection to the container runtime was lost');
		for (const container of this.all()) container.abandon(error);
	}

	/** Creates a container, or returns the existing one. Rejects with ContainerStartError. */
	async create(sandboxId: string, config: ContainerConfig): Promise<RuntimeContainer> {
		const existing = this.#byId.get(containerIdOf(sandboxId, config));
		if (existing) return existing.status;
		const { client, images, hasRecursiveReadOnly } = this.#options;
		const sandbox = this.#options.sandboxOf(sandboxId);
		if (sandbox?.state !== 'ready' || !sandbox.config)
			throw new ContainerStartError('CreateContainerError', `sandbox ${sandboxId} is not ready`);
		const image = await images.find(config.image);
		if (!image)
			throw new ContainerStartError(
				'CreateContainerError',
				`image ${JSON.stringify(config.image)}: not found`,
			);
		const { user } = image;
		verifyNonRoot(config, sandbox.metadata, user.uid === undefined ? user.username : `${user.uid}`);
		const facts = factsOf(config, sandbox.metadata, image.imageRef);
		const mounts = await mountRequests(config, { hasRecursiveReadOnly });
		const request = {
			podSandboxId: sandbox.criId,
			config: containerRequest(config, {
				facts,
				owner: this.#options.owner,
				sandbox: sandbox.config,
				mounts,
				image: { ...user, id: image.id },
				...this.#targetOf(config),
			}),
			sandboxConfig: sandbox.config,
		};
		this.#changes++;
		const criId = await this.#createOnce(facts, async () => {
			return (await client.call(CRI.createContainer, request)).containerId;
		});
		this.#changes++;
		const status = await criStatusOf(client, criId);
		if (!status)
			throw new ContainerStartError('CreateContainerError', 'the container was removed from the runtime');
		images.noteUse(image.id);
		if (config.mounts.some(({ subPath }) => subPath !== '')) this.#mounts.set(facts.id, { config, mounts });
		const { tty, stdin, stdinOnce } = config;
		const streams = { tty, stdin, stdinOnce: stdin && stdinOnce };
		return this.#track({ facts, streams }, status).status;
	}

	/** Starts a container that is created. Rejects like Runtime.startContainer. */
	async start(container: TrackedCriContainer): Promise<RuntimeContainer> {
		const { client, maxPids } = this.#options;
		await this.#verify(container);
		try {
			await client.call(CRI.startContainer, { containerId: container.criId });
		} catch (error) {
			if (!(error instanceof CriError)) throw error;
			// A call that was lost may have started it.
			await container.refresh();
			if (container.status.state === 'running') return container.status;
			const shortage = container.status.state === 'created' && shortageOf(error.message);
			if (shortage) throw shortage;
			await container.failStart(error.message);
			throw new ContainerStartError('RunContainerError', error.message);
		}
		if (maxPids > 0) await this.#limitProcesses(container, maxPids);
		return await container.started();
	}

	/** Removes a container that does not run, from the runtime as well. */
	async remove({ criId: containerId, facts }: TrackedCriContainer): Promise<void> {
		// A list that does not have it is no news.
		this.#removing.add(containerId);
		try {
			await this.#options.client.call(CRI.removeContainer, { containerId });
		} catch (error) {
			if (!isNotFound(error)) throw error;
		} finally {
			this.#removing.delete(containerId);
		}
		this.#byId.delete(facts.id);
		this.#mounts.delete(facts.id);
	}

	/** What the running containers use. */
	async usage(): Promise<readonly ContainerUsage[]> {
		const { client, owner } = this.#options;
		const running = this.all().filter(({ status }) => status.state === 'running');
		if (running.length === 0) return [];
		const filter = { labelSelector: { [OWNER_LABEL]: owner.id } };
		const { stats } = await client.call(CRI.listContainerStats, { filter });
		const byCriId = new Map(stats.map((each) => [each.attributes?.id, each]));
		const limit = new ConcurrencyLimit(QUESTIONS);
		const used = running.map(({ criId, facts }) =>
			limit.run(async () => {
				const measured = byCriId.get(criId);
				if (!measured) return undefined;
				const group = await ProcessGroup.of(client, criId).catch(() => undefined);
				return criUsageOf(facts, measured, (await group?.count()) ?? 0);
			}),
		);
		return (await Promise.all(used)).filter((each) => each !== undefined);
	}

	/** Checks again, just before a start, that the mounts are what they were at the creation. */
	async #verify({ facts }: TrackedCriContainer): Promise<void> {
		const created = this.#mounts.get(facts.id);
		if (!created) return;
		const { hasRecursiveReadOnly } = this.#options;
		const now = await mountRequests(created.config, { hasRecursiveReadOnly });
		if (now.every(({ hostPath }, index) => hostPath === created.mounts[index]?.hostPath)) return;
		throw new ContainerStartError('CreateContainerError', 'a subPath of its volumes has been replaced');
	}

	/** Limits the processes of a container that has just been started. Rejects, and stops it, if that is not possible. */
	async #limitProcesses({ criId, status }: TrackedCriContainer, most: number): Promise<void> {
		const { client, clock } = this.#options;
		for (let look = 0; look < GROUP_LOOKS; look++) {
			const group = await ProcessGroup.of(client, criId);
			if (group) return await group.limit(most);
			// The group of one that has ended is gone before its status says so.
			const now = await criStatusOf(client, criId);
			if (!now || criStateOf(now).state !== 'running') return;
			await sleep(clock, GROUP_MS);
		}
		await client.call(CRI.stopContainer, { containerId: criId, timeout: 0 });
		throw new ContainerStartError(
			'RunContainerError',
			`the processes of container ${status.name} cannot be limited: its control group is not visible`,
		);
	}

	#targetOf({ targetContainerId: id }: ContainerConfig): { readonly targetId?: string } {
		if (id === undefined) return {};
		const target = this.#byId.get(id);
		if (target?.status.state === 'running') return { targetId: target.criId };
		throw new ContainerStartError('CreateContainerError', `container ${id} is not running`);
	}

	/** Creates the container; resolves to the runtime's id of it, or of the one that an earlier call has created. */
	async #createOnce({ id }: LabelledFacts, create: () => Promise<string>): Promise<string> {
		try {
			return await create();
		} catch (error) {
			if (!(error instanceof CriError)) throw error;
			await this.synchronize();
			const existing = this.#byId.get(id);
			if (existing) return existing.criId;
			throw new ContainerStartError('CreateContainerError', error.message);
		}
	}

	#track(kept: KeptContainer, status: CriStatus): TrackedCriContainer {
		const { id } = kept.facts;
		const tracked = this.#byId.get(id);
		if (tracked) return tracked;
		const container = new TrackedCriContainer(kept, status, this.#options);
		this.#byId.set(id, container);
		return container;
	}
}

/** Whether the state in a list is another one than the reported one. */
function isNews({ state }: RuntimeContainer, listed: number): boolean {
	if (state === 'exited') return false;
	return listed !== (state === 'created' ? CONTAINER.created : CONTAINER.running);
}
