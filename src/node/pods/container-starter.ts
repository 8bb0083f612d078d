import type { ContainerConfig } from '../../api/contract/container-config.ts';
import type { EventText } from '../../api/core/event/event-text.ts';
import type { Container, Pod } from '../../api/core/pod/schema.ts';
import type { Service } from '../../api/core/service/schema.ts';
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/message-of.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { Informer } from '../../client/informer.ts';
import { containerConfigOf } from '../../plan/pod/config/container-config.ts';
import type { Variable } from '../../plan/pod/config/environment.ts';
import { serviceVariables } from '../../plan/pod/config/service-variables.ts';
import type { HoldBack } from '../../plan/pod/fields/field-rules.ts';
import { InputError } from '../../plan/pod/inputs/values.ts';
import type { ContainerStart } from '../../plan/pod/plan.ts';
import { fieldPathOf } from '../../plan/pod/snapshot.ts';
import { writesMessageFile } from '../../plan/pod/status/termination-message.ts';
import {
	ContainerStartError,
	ImageError,
	type Runtime,
	RuntimeBusy,
	RuntimeUnavailable,
} from '../../runtime/contract.ts';
import type { LogFiles } from '../logs/log-files.ts';
import type { ContainerHooks } from './container-hooks.ts';
import { ImagePuller, VolumeImageError } from './image-puller.ts';
import type { PodInputs } from './inputs.ts';
import type { RuntimeView } from './runtime-view.ts';
import type { FailedStart } from './start-backoffs.ts';

/**
 * Delay before a start is retried that failed for want of file descriptors, processes, memory or disk. It is short,
 * since the runtime has waited about a second itself before it rejected with RuntimeBusy.
 */
const BUSY_RETRY_MS = 500;

/** The name of the index of Services by their namespace. */
export const BY_NAMESPACE = 'namespace';

/** The components and settings of a {@link ContainerStarter}. */
export interface ContainerStarterOptions {
	readonly clock: Clock;
	readonly runtime: Runtime;
	readonly view: RuntimeView;
	readonly logs: LogFiles;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly hooks: Pick<ContainerHooks, 'started'>;
	/** The node's allocatable resources: a `resourceFieldRef` to an unset limit resolves to them. */
	readonly allocatable: Readonly<Record<string, string>>;
	readonly hostIP: string;
	/** The address of the API server for programs in that network; undefined if they can reach none. */
	readonly apiServerUrl: ((network: 'node' | 'pod') => string | undefined) | undefined;
	/** The Services with the index {@link BY_NAMESPACE}, for the variables of containers. */
	readonly services: Pick<Informer<Service>, 'synced' | 'indexed'>;
	readonly inputs: PodInputs;
	readonly onError: (key: string, error: unknown) => void;
}

/**
 * Starts containers: pulls the image, creates the container, starts it, and records the kubelet's events (those of
 * `startContainer` in kuberuntime_container.go and of image_manager.go).
 */
export class ContainerStarter {
	readonly #options: ContainerStarterOptions;

	readonly #images: ImagePuller;

	constructor(options: ContainerStarterOptions) {
		this.#options = options;
		const { clock, runtime, inputs } = options;
		this.#images = new ImagePuller({ clock, runtime, inputs, record: (...args) => this.#record(...args) });
	}

	/**
	 * Starts one container attempt. Resolves to the failure that the Pod's status shows as its waiting state;
	 * undefined if the container runs, or has exited with StartError. Rejects with RuntimeUnavailable.
	 */
	async start(pod: Pod, { container, attempt, heldBack }: ContainerStart): Promise<FailedStart | undefined> {
		const { runtime, view } = this.#options;
		const sandbox = view.sandboxOf(pod.metadata.uid ?? '');
		if (!sandbox) return { reason: 'CreateContainerError', message: 'the sandbox of the Pod does not exist' };
		const isCreated = this.#isCreated(pod, container, attempt);
		try {
			if (!isCreated) await this.#images.ensureVolumes(pod, container);
			if (!isCreated) await this.#images.ensure(pod, container);
			if (heldBack) return this.#holdBack(pod, container, heldBack);
			const config = await this.#configure(pod, container, { attempt, podIP: sandbox.ip });
			// Also for an attempt that was created before: the runtime forgets those when it crashes.
			const created = await runtime.createContainer(sandbox.id, config);
			view.noteContainer(created);
			if (created.state !== 'created') return undefined;
			if (!isCreated)
				this.#record(pod, container, { type: 'Normal', reason: 'Created', message: 'Container created' });
			view.noteContainer(await runtime.startContainer(created.id));
			this.#record(pod, container, { type: 'Normal', reason: 'Started', message: 'Container started' });
			this.#options.hooks.started(pod, container, created.id);
			return undefined;
		} catch (error) {
			if (error instanceof RuntimeBusy) return this.#busy(pod, container, { isCreated, why: error.message });
			return this.#failure(pod, container, error);
		}
	}

	/** True if an earlier call created the attempt, and its start failed with RuntimeBusy. */
	#isCreated(pod: Pod, { name }: Container, attempt: number): boolean {
		const attempts = this.#options.view.attemptsOf(pod.metadata.uid ?? '').get(name) ?? [];
		return attempts.some((each) => each.attempt === attempt && each.state === 'created');
	}

	#busy(
		pod: Pod,
		container: Container,
		how: { readonly isCreated: boolean; readonly why: string },
	): FailedStart {
		const message = `${how.why}; the start will be retried`;
		// One event for all retries, of which there may be hundreds.
		if (!how.isCreated)
			this.#record(pod, container, { type: 'Warning', reason: 'Failed', message: `Error: ${message}` });
		return { reason: 'ContainerCreating', message, retryAfterMs: BUSY_RETRY_MS };
	}

	/** Fails as the kubelet's `generateContainerConfig` does; the event adds what to do to its message. */
	#holdBack(pod: Pod, container: Container, { message, hints }: HoldBack): FailedStart {
		this.#record(pod, container, { type: 'Warning', reason: 'Failed', message: `Error: ${hints}` });
		return { reason: 'CreateContainerConfigError', message };
	}

	async #configure(
		pod: Pod,
		container: Container,
		more: { attempt: number; podIP: string },
	): Promise<ContainerConfig> {
		const { logs, allocatable, hostIP, inputs, runtime } = this.#options;
		const { attempt, podIP } = more;
		const logPath = logs.pathOf(pod, container.name, attempt);
		const node = { allocatable, hostIP, podIP };
		const values = await inputs.valuesOf(pod, container, more);
		const targetContainerId = this.#targetOf(pod, container);
		const writesMessage = container.terminationMessagePath && writesMessageFile(runtime.traits);
		const { uid = '' } = pod.metadata;
		const messageFile = writesMessage ? await inputs.makeMessageFile(uid, container.name, attempt) : '';
		const services = await this.#serviceVariables(pod);
		const facts = { attempt, logPath, messageFile, node, services, values };
		const config = containerConfigOf(pod, container, {
			...facts,
			...(targetContainerId !== undefined && { targetContainerId }),
		});
		await inputs.makeSubPaths(container, config.mounts);
		return config;
	}

	/** The variables of Services; a restart of the container sees those that exist then. */
	async #serviceVariables({ metadata: { namespace = '' }, spec }: Pod): Promise<readonly Variable[]> {
		const { services, apiServerUrl, runtime } = this.#options;
		const hasNetwork = runtime.traits.podNetwork?.kind === 'pod' && spec.hostNetwork !== true;
		const hasLinks = spec.enableServiceLinks ?? true;
		if (hasLinks && !(await services.synced)) {
			throw new InputError('services have not yet been read at least once, cannot construct envvars');
		}
		const linked = hasLinks ? services.indexed(BY_NAMESPACE, namespace) : [];
		const url = apiServerUrl?.(hasNetwork ? 'pod' : 'node');
		return serviceVariables({ services: linked, namespace, apiServerUrl: url });
	}

	/** The container that an ephemeral container targets. Throws InputError, as upstream, if it has not run yet. */
	#targetOf({ spec, metadata: { uid = '' } }: Pod, { name }: Container): string | undefined {
		const target = spec.ephemeralContainers?.find((each) => each.name === name)?.targetContainerName;
		if (!target) return undefined;
		const found = this.#options.view.attemptsOf(uid).get(target)?.at(-1);
		if (!found) throw new InputError(`unable to find target container ${target}`);
		return found.id;
	}

	/** Records the event of a failed start and returns the failure; undefined if the runtime has reported an exit. */
	#failure(pod: Pod, container: Container, error: unknown): FailedStart | undefined {
		if (error instanceof ImageError) {
			this.#record(pod, container, { type: 'Warning', reason: 'Failed', message: `Error: ${error.reason}` });
			const image = error instanceof VolumeImageError && { image: error.image };
			return { reason: error.reason, message: error.message, ...image };
		}
		if (error instanceof RuntimeUnavailable) throw error;
		if (error instanceof InputError) {
			return this.#holdBack(pod, container, { message: error.message, hints: error.message });
		}
		if (!(error instanceof ContainerStartError)) return this.#unexpected(pod, container, error);
		this.#record(pod, container, { type: 'Warning', reason: 'Failed', message: `Error: ${error.message}` });
		// The runtime has reported an exit with StartError: plan/pod handles it like any other exit.
		if (error.reason === 'RunContainerError') return undefined;
		return { reason: error.reason, message: error.message };
	}

	/** The runtime failed with an untyped error, such as a full disk: reported in the Pod and to `onError`. */
	#unexpected(pod: Pod, container: Container, error: unknown): FailedStart {
		const message = messageOf(error);
		this.#record(pod, container, { type: 'Warning', reason: 'Failed', message: `Error: ${message}` });
		this.#options.onError(pod.metadata.uid ?? '', error);
		return { reason: 'CreateContainerError', message };
	}

	#record(pod: Pod, container: Container | undefined, event: EventText): void {
		const fieldPath = container && fieldPathOf(pod, container.name);
		this.#options.recorder.event(pod, { ...event, ...(fieldPath !== undefined && { fieldPath }) });
	}
}
