/** What verification needs of a member's keys; `MlsMember` gives it. */
export interface LeafSignatures {
  /** SignWithLabel (RFC 9420 section 5.1.2) under our leaf's key. Rejects when we are in no group. */
  sign(label: string, content: Uint8Array): Promise<Uint8Array>
  /** Under the key that our group has for the participant. Rejects when we are in no group. */
  verify(
    participantId: string,
    label: string,
    content: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean>
}
