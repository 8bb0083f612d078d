/** The network of a Pod, as the journal keeps it with its sandbox. */
export interface PodNetwork {
	readonly ip: string;
	readonly bridge: string;
	/** Such as `10.244.0.0/16`. */
	readonly range: string;
}
