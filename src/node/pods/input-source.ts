import type { Pod } from '../../api/core/pod/schema.ts';
import type { Secret } from '../../api/core/secret/schema.ts';
import type { ClaimObjects } from '../../plan/pod/inputs/claimed-volume.ts';
import type { InputNeed } from '../../plan/pod/inputs/needs.ts';
import type { InputData } from '../../plan/pod/inputs/values.ts';

/** A need of an object with data. */
export type DataNeed = Exclude<InputNeed, { readonly kind: 'persistentVolumeClaim' }>;

/**
 * The objects of the API that Pods take as inputs. Calls for different Pods may overlap. A source tells its owner when an
 * object or token has changed that a Pod follows.
 */
export interface InputSource {
	/** Follows the objects for the Pod until {@link forget}. Precedes every read, and may be repeated. */
	follow(pod: Pod, needs: readonly InputNeed[]): void;
	/** Ends what {@link follow} has started. */
	forget(podUid: string): void;
	/**
	 * The data of the object in the Pod's namespace; undefined if the object does not exist. Rejects if it cannot be read
	 * now.
	 */
	read(need: DataNeed, pod: Pod): Promise<InputData | undefined>;
	/** The Secret in the Pod's namespace; undefined if it does not exist. Rejects if it cannot be read now. */
	secret(name: string, pod: Pod): Promise<Secret | undefined>;
	/** The claim in the Pod's namespace, and its volume. Rejects if they cannot be read now. */
	claim(name: string, pod: Pod): Promise<ClaimObjects>;
}
