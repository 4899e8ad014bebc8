/**
 * The part of React's types that the example uses, written down for the project's own check
 * (`scripts/examples.test.ts`), as the project does not install React. An application has `@types/react`.
 */

declare module 'react' {
  export type ReactNode =
    | import('react/jsx-runtime').JSX.Element
    | string
    | number
    | boolean
    | null
    | undefined
    | readonly ReactNode[]
  export function useState<T>(initial: T | (() => T)): [T, (next: T | ((before: T) => T)) => void]
  // biome-ignore lint/suspicious/noConfusingVoidType: as React has it
  export function useEffect(effect: () => void | (() => void), of?: readonly unknown[]): void
  export function useRef<T>(initial: T | null): { current: T | null }
}

declare module 'react-dom/client' {
  export function createRoot(container: Element): {
    render(node: import('react').ReactNode): void
    unmount(): void
  }
}

declare module 'react/jsx-runtime' {
  type Node = import('react').ReactNode
  interface Common {
    readonly children?: Node
    readonly className?: string
    readonly role?: string
    readonly 'aria-label'?: string
  }
  export const jsx: (type: unknown, props: unknown, key?: string) => JSX.Element
  export const jsxs: typeof jsx
  export const Fragment: unique symbol
  export namespace JSX {
    interface Element {
      readonly type: unknown
      readonly props: unknown
    }
    interface ElementChildrenAttribute {
      readonly children: Node
    }
    interface IntrinsicAttributes {
      readonly key?: string | number
    }
    interface IntrinsicElements {
      readonly main: Common
      readonly p: Common
      readonly figure: Common & IntrinsicAttributes
      readonly figcaption: Common
      readonly canvas: Common & {
        readonly ref?: { current: HTMLCanvasElement | null }
        readonly width?: number
        readonly height?: number
      }
      readonly button: Common & {
        readonly type?: 'button' | 'submit' | 'reset'
        readonly onClick?: (event: { readonly currentTarget: HTMLButtonElement }) => void
      }
      readonly form: Common & { readonly action?: (data: FormData) => void | Promise<void> }
      readonly input: Common & {
        readonly value?: string
        readonly onChange?: (event: { readonly target: HTMLInputElement }) => void
      }
    }
  }
}
