/** Finalizer of claims: the pvc-protection controller removes it once no Pod uses the claim. */
export const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection';

/** Finalizer of volumes: the pv-protection controller removes it once the volume is not bound to a claim. */
export const VOLUME_FINALIZER = 'kubernetes.io/pv-protection';
