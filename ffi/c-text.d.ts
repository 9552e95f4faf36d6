/** C sources that are imported as text. */
declare module "*.c" {
  const source: string;
  export default source;
}
