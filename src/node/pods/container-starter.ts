import type { Container, Pod } from '../../api/core/pod/schema.ts';
import { formatGoDuration } from '../../api/meta/go-duration-text.ts';
import { quantityMilliValue, quantityValue } from '../../api/meta/quantity.ts';
import type { Clock } from '../../base/clock.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { HoldBack } from '../../plan/pod/fields/field-rules.ts';
import type { ContainerStart } from '../../plan/pod/plan.ts';
import { fieldPathOf } from '../../plan/pod/snapshot.ts';
import {
	type ContainerConfig,
	ContainerStartError,
	ImageError,
	type Runtime,
	RuntimeBusy,
	RuntimeUnavailable,
} from '../../runtime/contract.ts';
import type { LogFiles } from '../logs/log-files.ts';
import { Expansion, environmentOf, type NodeFacts } from './environment.ts';
import type { RuntimeView } from './runtime-view.ts';
import type { FailedStart } from './start-backoffs.ts';

/**
 * Delay before a start is retried that failed for want of file descriptors, processes, memory or disk. It is short,
 * since the runtime has waited about a second itself before it rejected with RuntimeBusy.
 */
const BUSY_RETRY_MS = 500;

/** The components and settings of a {@link ContainerStarter}. */
export interface ContainerStarterOptions {
	readonly clock: Clock;
	readonly runtime: Runtime;
	readonly view: RuntimeView;
	readonly logs: LogFiles;
	readonly recorder: Pick<EventRecorder, 'event'>;
	/** The node's allocatable resources: a `resourceFieldRef` to an unset limit resolves to them. */
	readonly allocatable: Readonly<Record<string, string>>;
	readonly hostIP: string;
	readonly onError: (key: string, error: unknown) => void;
}

/**
 * Starts containers: pulls the image, creates the container, starts it, and records the kubelet's events (those of
 * `startContainer` in kuberuntime_container.go and of image_manager.go).
 */
export class ContainerStarter {
	readonly #options: ContainerStarterOptions;

	constructor(options: ContainerStarterOptions) {
		this.#options = options;
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
			if (!isCreated) await this.#pull(pod, container);
			if (heldBack) return this.#holdBack(pod, container, heldBack);
			const config = this.#configure(pod, container, { attempt, podIP: sandbox.ip });
			// Also for an attempt that was created before: the runtime forgets those when it crashes.
			const created = await runtime.createContainer(sandbox.id, config);
			view.noteContainer(created);
			if (created.state !== 'created') return undefined;
			if (!isCreated) this.#record(pod, container, 'Normal', 'Created', 'Container created');
			view.noteContainer(await runtime.startContainer(created.id));
			this.#record(pod, container, 'Normal', 'Started', 'Container started');
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
		if (!how.isCreated) this.#record(pod, container, 'Warning', 'Failed', `Error: ${message}`);
		return { reason: 'ContainerCreating', message, retryAfterMs: BUSY_RETRY_MS };
	}

	/** Fails as the kubelet's `generateContainerConfig` does; the event adds hints of our own to its message. */
	#holdBack(pod: Pod, container: Container, { message, hints }: HoldBack): FailedStart {
		const text = hints === message ? message : `${message}; ${hints}`;
		this.#record(pod, container, 'Warning', 'Failed', `Error: ${text}`);
		return { reason: 'CreateContainerConfigError', message };
	}

	/** Pulls the image if the container's pull policy requires it, as `EnsureImageExists` in image_manager.go. */
	async #pull(pod: Pod, container: Container): Promise<void> {
		const { runtime, clock } = this.#options;
		const { image = '', imagePullPolicy } = container;
		const present = await this.#imageStatus(pod, container);
		if (present && imagePullPolicy !== 'Always') {
			const message = `Container image "${image}" already present on machine and can be accessed by the pod`;
			this.#record(pod, container, 'Normal', 'Pulled', message);
			return;
		}
		if (imagePullPolicy === 'Never') {
			const message = `Container image "${image}" is not present with pull policy of Never`;
			this.#record(pod, container, 'Warning', 'ErrImageNeverPull', message);
			throw new ImageError('ErrImageNeverPull', message);
		}
		this.#record(pod, container, 'Normal', 'Pulling', `Pulling image "${image}"`);
		const startedAt = clock.monotonic();
		try {
			const { sizeBytes } = await runtime.pullImage(image, container);
			// Upstream's second duration includes the time in its pull queue. There is no queue here: both are equal.
			const took = formatGoDuration(clock.monotonic() - startedAt);
			const message = `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${sizeBytes} bytes.`;
			this.#record(pod, container, 'Normal', 'Pulled', message);
		} catch (error) {
			const message = error instanceof Error ? error.message : String(error);
			this.#record(pod, container, 'Warning', 'Failed', `Failed to pull image "${image}": ${message}`);
			throw error;
		}
	}

	/** The runtime's record of the image. A malformed name is reported as `InspectFailed`, before any pull. */
	async #imageStatus(pod: Pod, container: Container): Promise<object | undefined> {
		const { image = '' } = container;
		try {
			return await this.#options.runtime.imageStatus(image, container);
		} catch (error) {
			if (error instanceof ImageError)
				this.#record(pod, container, 'Warning', 'InspectFailed', error.message);
			throw error;
		}
	}

	#configure(pod: Pod, container: Container, more: { attempt: number; podIP: string }): ContainerConfig {
		const { logs, allocatable, hostIP } = this.#options;
		const facts: NodeFacts = { allocatable, hostIP, podIP: more.podIP };
		// One for all texts of the container: they share its limit.
		const expansion = new Expansion();
		const env = environmentOf(pod, container, { facts, expansion });
		const values = new Map(env.map(({ name, value }) => [name, value]));
		const { memory, cpu } = container.resources?.limits ?? {};
		return {
			name: container.name,
			attempt: more.attempt,
			image: container.image ?? '',
			command: (container.command ?? []).map((part) => expansion.expand(part, values)),
			args: (container.args ?? []).map((part) => expansion.expand(part, values)),
			env,
			workingDir: container.workingDir ?? '',
			logPath: logs.pathOf(pod, container.name, more.attempt),
			stdin: container.stdin ?? false,
			tty: container.tty ?? false,
			resources: {
				...(memory !== undefined && { memoryLimitBytes: quantityValue(memory) }),
				...(cpu !== undefined && { cpuLimitMillis: quantityMilliValue(cpu) }),
			},
		};
	}

	/** Records the event of a failed start and returns the failure; undefined if the runtime has reported an exit. */
	#failure(pod: Pod, container: Container, error: unknown): FailedStart | undefined {
		if (error instanceof ImageError) {
			this.#record(pod, container, 'Warning', 'Failed', `Error: ${error.reason}`);
			return { reason: error.reason, message: error.message };
		}
		if (error instanceof RuntimeUnavailable) throw error;
		if (!(error instanceof ContainerStartError)) return this.#unexpected(pod, container, error);
		this.#record(pod, container, 'Warning', 'Failed', `Error: ${error.message}`);
		// The runtime has reported an exit with StartError: plan/pod handles it like any other exit.
		if (error.reason === 'RunContainerError') return undefined;
		return { reason: error.reason, message: error.message };
	}

	/** The runtime failed with an untyped error, such as a full disk: reported in the Pod and to `onError`. */
	#unexpected(pod: Pod, container: Container, error: unknown): FailedStart {
		const message = error instanceof Error ? error.message : String(error);
		this.#record(pod, container, 'Warning', 'Failed', `Error: ${message}`);
		this.#options.onError(pod.metadata.uid ?? '', error);
		return { reason: 'CreateContainerError', message };
	}

	#record(pod: Pod, { name }: Container, type: 'Normal' | 'Warning', reason: string, message: string): void {
		this.#options.recorder.event(pod, { type, reason, message, fieldPath: fieldPathOf(pod, name) });
	}
}
