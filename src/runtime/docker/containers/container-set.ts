/** The containers of this server that the engine has: found, created, removed. */
import type { ContainerConfig } from '../../../api/contract/container-config.ts';
import type { ContainerUsage } from '../../../api/contract/usage.ts';
import type { Clock } from '../../../base/clock.ts';
import { isList } from '../../../base/json/json.ts';
import { ConcurrencyLimit } from '../../../base/queue/concurrency-limit.ts';
import { ContainerStartError, type RuntimeContainer, RuntimeUnavailable } from '../../contract.ts';
import { factsOf, type LabelledFacts } from '../../engines/container-facts.ts';
import { OWNER_LABEL, type Owner } from '../../engines/owner.ts';
import { containerIdOf } from '../../ids.ts';
import { numberAt, stringAt, valueAt } from '../../json-values.ts';
import { LogTime } from '../../log-time.ts';
import { DescriptorPool } from '../../process/output/descriptor-pool.ts';
import { type EngineClient, EngineError, type EngineVersion, isUnknown } from '../engine/engine-client.ts';
import type { EngineImages } from '../engine/engine-images.ts';
import type { SandboxRecord, SandboxRecords } from '../sandbox-records.ts';
import { type BindMount, bindMountsOf } from './bind-mounts.ts';
import { type BodyFacts, containerBody } from './container-body.ts';
import { engineContainerName, labelsOf, readLabels } from './container-labels.ts';
import { createdAtOf } from './container-state.ts';
import { engineUsageOf } from './container-usage.ts';
import { type EngineContext, TrackedContainer } from './tracked-container.ts';

/** What the containers of a server depend on. */
export interface ContainerSetOptions {
	readonly client: EngineClient;
	readonly images: EngineImages;
	readonly records: SandboxRecords;
	readonly engine: EngineVersion;
	readonly owner: Owner;
	readonly clock: Clock;
	readonly maxPids: number;
	readonly logMaxBytes: number;
	readonly logMaxFiles: number;
	notify(status: RuntimeContainer): void;
	onError(error: unknown): void;
}

/** How many containers are inspected at once after a connection. */
const INSPECTIONS = 8;
/** Upper limit on open logs; a log that is closed meanwhile is opened again by its next write. */
const MOST_LOGS = 64;
/**
 * What the engine keeps of a container's output, until it is removed. It is only a buffer while no server copies it, but one
 * that must not fill the disk either. Podman's driver has the format of the CRI, which keeps lines apart.
 */
const ENGINE_LOGS = {
	docker: { Type: 'json-file', Config: { 'max-size': '100m', 'max-file': '2' } },
	podman: { Type: 'k8s-file', Config: {} },
} as const satisfies Record<EngineVersion['name'], BodyFacts['log']>;

/** For `catch`: undefined if the engine has answered with an error; throws all others. */
function undefinedIfRefused(error: unknown): undefined {
	if (!(error instanceof EngineError)) throw error;
}

/** The events after which a container is inspected. A start is made here only, and inspected then. */
const CHANGES: ReadonlySet<string> = new Set(['die', 'died', 'destroy', 'remove', 'oom', 'cleanup']);

/** See the header of this file. */
export class ContainerSet {
	readonly #options: ContainerSetOptions;
	readonly #context: EngineContext;
	readonly #byId = new Map<string, TrackedContainer>();
	readonly #byEngineId = new Map<string, TrackedContainer>();
	/** By container, the mounts that it was created with, and its configuration. */
	readonly #mounts = new Map<
		string,
		{ readonly config: ContainerConfig; readonly mounts: readonly BindMount[] }
	>();

	constructor(options: ContainerSetOptions) {
		this.#options = options;
		const { client, records, clock, logMaxBytes, logMaxFiles, onError } = options;
		const time = new LogTime(clock, () => process.hrtime.bigint());
		this.#context = {
			client,
			clock,
			notify: (status) => options.notify(status),
			noteOf: ({ sandboxId, id }) => records.noteOf(sandboxId, id),
			note: ({ sandboxId, id }, more) => records.note(sandboxId, id, more),
			logs: {
				client,
				clock,
				onError,
				descriptors: new DescriptorPool(MOST_LOGS),
				maxBytes: logMaxBytes,
				maxFiles: logMaxFiles,
				stamp: () => time.stamp(),
			},
		};
	}

	get(id: string): TrackedContainer | undefined {
		return this.#byId.get(id);
	}

	all(): readonly TrackedContainer[] {
		return [...this.#byId.values()];
	}

	/** The containers of a sandbox. */
	of(sandboxId: string): readonly TrackedContainer[] {
		return this.all().filter(({ facts }) => facts.sandboxId === sandboxId);
	}

	/** Reads all containers from the engine: finds those of earlier servers, and reports what has changed. */
	async synchronize(): Promise<void> {
		const { client, owner, records } = this.#options;
		const filters = JSON.stringify({ label: [`${OWNER_LABEL}=${owner.id}`] });
		const list = await client.call('GET', '/containers/json', { query: { all: 1, filters } });
		const limit = new ConcurrencyLimit(INSPECTIONS);
		const found = (isList(list) ? list : []).flatMap((each) => {
			const facts = readLabels(valueAt(each, 'Labels'), owner);
			return facts ? [{ facts, engineId: stringAt(each, 'Id') }] : [];
		});
		const known = this.all();
		const added = found.map(({ facts, engineId }) =>
			limit.run(async () => {
				if (this.#byEngineId.has(engineId)) return;
				const inspected = await this.#inspect(engineId);
				if (inspected === undefined) return;
				records.recover(facts.sandbox, createdAtOf(inspected));
				await this.#track(facts, inspected).resume();
			}),
		);
		const checked = known.map((container) => limit.run(() => container.refresh()));
		await Promise.all([...added, ...checked]);
	}

	/** Rejects the calls that wait for an exit: the engine is lost. */
	abandon(): void {
		const error = new RuntimeUnavailable('the connection to the container engine was lost');
		for (const container of this.all()) container.abandon(error);
	}

	/** Inspects the container of an event. */
	noteEvent(engineId: string, action: string): void {
		if (!CHANGES.has(action)) return;
		const container = this.#byEngineId.get(engineId);
		if (action === 'oom') container?.noteOutOfMemory();
		// A failure means that the engine cannot be reached: the next connection synchronizes.
		void container?.refresh().catch(() => undefined);
	}

	/** Creates a container, or returns the existing one. Rejects with ContainerStartError. */
	async create(sandboxId: string, config: ContainerConfig): Promise<RuntimeContainer> {
		const existing = this.#byId.get(containerIdOf(sandboxId, config));
		if (existing) return existing.status;
		const record = this.#options.records.get(sandboxId);
		if (record?.state !== 'ready')
			throw new ContainerStartError('CreateContainerError', `sandbox ${sandboxId} is not ready`);
		const image = await this.#options.images.find(config.image);
		if (!image) throw new ContainerStartError('CreateContainerError', `No such image: ${config.image}`);
		const facts = factsOf(config, record.metadata, image.imageRef);
		const mounts = await bindMountsOf(config, this.#options.engine);
		const body = this.#bodyOf(config, { record, facts, mounts, imageUser: image.user });
		const inspected = await this.#inspect(await this.#createOnce(facts, body));
		if (inspected === undefined)
			throw new ContainerStartError('CreateContainerError', 'the container was removed from the engine');
		this.#mounts.set(facts.id, { config, mounts });
		return this.#track(facts, inspected).status;
	}

	/** Checks again, just before a start, that the mounts are what they were at the creation. */
	async verify({ facts }: TrackedContainer): Promise<void> {
		const created = this.#mounts.get(facts.id);
		if (!created?.config.mounts.some(({ subPath }) => subPath !== '')) return;
		const now = await bindMountsOf(created.config, this.#options.engine);
		if (now.every(({ Source }, index) => Source === created.mounts[index]?.Source)) return;
		throw new ContainerStartError('CreateContainerError', 'a subPath of its volumes has been replaced');
	}

	/** Removes a container that does not run, from the engine as well. */
	async remove(container: TrackedContainer): Promise<void> {
		const { engineId, facts } = container;
		await container.close();
		try {
			await this.#options.client.call('DELETE', `/containers/${engineId}`, { query: { force: 1, v: 1 } });
		} catch (error) {
			// It is being removed already, or was.
			if (!(error instanceof EngineError && [404, 409].includes(error.status))) throw error;
		}
		this.#byId.delete(facts.id);
		this.#byEngineId.delete(engineId);
		this.#mounts.delete(facts.id);
		this.#options.records.forget(facts.sandboxId, facts.id);
	}

	/** What the running containers use. One that ends meanwhile is left out. */
	async usage(): Promise<readonly ContainerUsage[]> {
		const running = this.all().filter(({ status }) => status.state === 'running');
		if (running.length === 0) return [];
		const { client, owner } = this.#options;
		const filters = JSON.stringify({ label: [`${OWNER_LABEL}=${owner.id}`] });
		const list = await client.call('GET', '/containers/json', { query: { size: 1, filters } });
		const sizes = new Map(
			(isList(list) ? list : []).map((each) => [stringAt(each, 'Id'), numberAt(each, 'SizeRw')]),
		);
		const limit = new ConcurrencyLimit(INSPECTIONS);
		const used = running.map(({ engineId, facts }) =>
			limit.run(async () => {
				const query = { stream: 0, 'one-shot': 1 };
				const stats = await client
					.call('GET', `/containers/${engineId}/stats`, { query })
					.catch(undefinedIfRefused);
				return engineUsageOf(facts, stats, sizes.get(engineId) ?? 0);
			}),
		);
		return (await Promise.all(used)).filter((each) => each !== undefined);
	}

	/** Whether the engine limits the memory of the container. */
	async hasMemoryLimit(engineId: string): Promise<boolean> {
		return numberAt(await this.#inspect(engineId), 'HostConfig', 'Memory') > 0;
	}

	/** Ends the copies of all logs. */
	async close(): Promise<void> {
		this.abandon();
		await Promise.all(this.all().map((container) => container.close()));
	}

	#bodyOf(
		config: ContainerConfig,
		given: {
			readonly record: SandboxRecord;
			readonly facts: LabelledFacts;
			readonly mounts: readonly BindMount[];
			readonly imageUser: string;
		},
	): Readonly<Record<string, unknown>> {
		const { engine, owner, maxPids } = this.#options;
		const { record, facts, mounts, imageUser } = given;
		const { targetContainerId } = config;
		const target = targetContainerId === undefined ? undefined : this.#byId.get(targetContainerId);
		if (targetContainerId !== undefined && target?.status.state !== 'running')
			throw new ContainerStartError('CreateContainerError', `container ${targetContainerId} is not running`);
		return containerBody(config, {
			sandbox: record.metadata,
			setup: record.setup,
			mounts,
			imageUser,
			maxPids,
			labels: labelsOf(config, facts, owner),
			log: ENGINE_LOGS[engine.name],
			...(target && { targetEngineId: target.engineId }),
		});
	}

	/** Creates the container; resolves to the engine's id of it, or of the one that an earlier call has created. */
	async #createOnce(facts: LabelledFacts, body: Readonly<Record<string, unknown>>): Promise<string> {
		const { client, owner } = this.#options;
		const name = engineContainerName(facts, owner);
		try {
			return stringAt(await client.call('POST', '/containers/create', { query: { name }, body }), 'Id');
		} catch (error) {
			if (!(error instanceof EngineError)) throw error;
			const existing = await this.#inspect(name);
			const labels = valueAt(existing, 'Config', 'Labels');
			if (readLabels(labels, owner)?.id === facts.id) return stringAt(existing, 'Id');
			throw new ContainerStartError('CreateContainerError', error.message);
		}
	}

	#track(facts: LabelledFacts, inspected: unknown): TrackedContainer {
		const tracked = this.#byId.get(facts.id);
		if (tracked) return tracked;
		const container = new TrackedContainer(facts, inspected, this.#context);
		this.#byId.set(facts.id, container);
		this.#byEngineId.set(container.engineId, container);
		return container;
	}

	/** The engine's answer about a container, by its id or name; undefined if there is none. */
	async #inspect(idOrName: string): Promise<unknown> {
		try {
			return await this.#options.client.call('GET', `/containers/${encodeURIComponent(idOrName)}/json`);
		} catch (error) {
			if (isUnknown(error)) return undefined;
			throw error;
		}
	}
}
