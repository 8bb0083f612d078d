import type { EventText } from '../../api/core/event/event-text.ts';
import type { Container, Pod } from '../../api/core/pod/schema.ts';
import { formatGoDuration } from '../../api/meta/go-duration-text.ts';
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/message-of.ts';
import { imageStepOf, isHostProgram, pulledEvent } from '../../plan/pod/image.ts';
import { ImageError, type ImagePullSecret, type Runtime } from '../../runtime/contract.ts';
import type { PodInputs } from './inputs.ts';

/** The components of an {@link ImagePuller}. */
export interface ImagePullerOptions {
	readonly clock: Clock;
	readonly runtime: Pick<Runtime, 'traits' | 'imageStatus' | 'pullImage'>;
	readonly inputs: Pick<PodInputs, 'pullSecretsOf'>;
	/** Records an event about a container; about the Pod as a whole if that is undefined. */
	record(pod: Pod, container: Container | undefined, event: EventText): void;
}

/** An image that a container needs. */
interface WantedImage {
	readonly image: string;
	readonly imagePullPolicy: Container['imagePullPolicy'];
	/** Undefined for the image of a volume. */
	readonly container: Container | undefined;
	readonly isProgram: boolean;
}

/** The image of a volume is not available. */
export class VolumeImageError extends ImageError {
	override readonly name = 'VolumeImageError';
	readonly image: string;

	constructor(image: string, { reason, message }: ImageError) {
		super(reason, message);
		this.image = image;
	}
}

/** Makes the images of containers available. plan/pod/image.ts decides whether to pull. */
export class ImagePuller {
	readonly #options: ImagePullerOptions;

	constructor(options: ImagePullerOptions) {
		this.#options = options;
	}

	/**
	 * Pulls the image of the container if its pull policy requires it, and records the kubelet's events. Rejects with
	 * ImageError if the image is not available.
	 */
	async ensure(pod: Pod, container: Container): Promise<void> {
		const { image = '', imagePullPolicy } = container;
		const isProgram = isHostProgram(container, this.#options.runtime.traits);
		await this.#ensure(pod, { image, imagePullPolicy, container, isProgram });
	}

	/**
	 * The same for the images that the container mounts as volumes (upstream: `getImageVolumes`); the events are about the
	 * Pod. Rejects with {@link VolumeImageError}.
	 */
	async ensureVolumes(pod: Pod, { volumeMounts = [] }: Container): Promise<void> {
		let failure: VolumeImageError | undefined;
		for (const { name, image: source } of pod.spec.volumes ?? []) {
			if (!source || !volumeMounts.some((mount) => mount.name === name)) continue;
			const { reference: image = '', pullPolicy: imagePullPolicy } = source;
			const wanted = { image, imagePullPolicy, container: undefined, isProgram: false };
			try {
				await this.#ensure(pod, wanted);
			} catch (error) {
				if (!(error instanceof ImageError)) throw error;
				failure = new VolumeImageError(image, error);
			}
		}
		if (failure) throw failure;
	}

	async #ensure(pod: Pod, wanted: WantedImage): Promise<void> {
		const { record } = this.#options;
		const { container, isProgram } = wanted;
		const pullSecrets = isProgram ? [] : await this.#pullSecrets(pod);
		const isFound = await this.#isFound(pod, wanted, pullSecrets);
		const step = imageStepOf(wanted, isFound || isProgram);
		record(pod, container, step.event);
		if (step.kind === 'fail') throw new ImageError(step.event.reason, step.event.message);
		if (step.kind === 'pull') await this.#pull(pod, wanted, pullSecrets);
	}

	/** Upstream: `getPullSecretsForPod`, with the event of `SyncPod`. */
	async #pullSecrets(pod: Pod): Promise<readonly ImagePullSecret[]> {
		if (!pod.spec.imagePullSecrets?.length) return [];
		const { inputs, record } = this.#options;
		const { secrets, missing } = await inputs.pullSecretsOf(pod);
		if (missing.length > 0) {
			const message = `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`;
			record(pod, undefined, { type: 'Warning', reason: 'FailedToRetrieveImagePullSecret', message });
		}
		return secrets;
	}

	async #pull(pod: Pod, wanted: WantedImage, pullSecrets: readonly ImagePullSecret[]): Promise<void> {
		const { runtime, clock, record } = this.#options;
		const { image, container, isProgram } = wanted;
		const startedAt = clock.monotonic();
		try {
			const sizeBytes = isProgram ? 0 : (await runtime.pullImage(image, { pullSecrets })).sizeBytes;
			const took = formatGoDuration(clock.monotonic() - startedAt);
			record(pod, container, pulledEvent(image, { took, sizeBytes }));
		} catch (error) {
			const why = messageOf(error);
			const message = `Failed to pull image "${image}": ${why}`;
			record(pod, container, { type: 'Warning', reason: 'Failed', message });
			throw error;
		}
	}

	/** Whether the runtime has the image. A malformed name is reported as `InspectFailed`, before any pull. */
	async #isFound(
		pod: Pod,
		{ image, container }: WantedImage,
		pullSecrets: readonly ImagePullSecret[],
	): Promise<boolean> {
		const { runtime, record } = this.#options;
		try {
			return (await runtime.imageStatus(image, { pullSecrets })) !== undefined;
		} catch (error) {
			if (error instanceof ImageError) {
				record(pod, container, { type: 'Warning', reason: 'InspectFailed', message: error.message });
			}
			throw error;
		}
	}
}
