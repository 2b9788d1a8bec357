//! Two operations of networks whose inputs and outputs are rows of many small numbers, of which most are 0: the
//! sum of embeddings tied to their columns, and a state seen through the gates of some columns.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::linear::with;
use super::values;

/// `y[r] = sum over c of table[cells[r][c]] * columns[c]`, elementwise: `cells` is (rows, width), row-major, `table`
/// (values, size), `columns` (width, size); the result (rows, size). Costs as much as there are cells that are not 0.
///
/// # Errors
/// When the shapes do not fit, or a cell has no row in the table.
pub fn embed_cells(cells: &[u8], table: &Tensor, columns: &Tensor) -> Result<Tensor> {
    let ((known, size), (width, size2)) = (table.dims2()?, columns.dims2()?);
    if size != size2 || width == 0 || !cells.len().is_multiple_of(width) {
        candle_core::bail!("cells: {} of {width} columns, sizes {size} and {size2} do not fit", cells.len());
    }
    if let Some(cell) = cells.iter().find(|&&v| usize::from(v) >= known) {
        candle_core::bail!("cells: the value {cell}, but only {known} are known");
    }
    if !table.device().is_cpu() {
        let ids: Vec<u32> = cells.iter().map(|&v| v.into()).collect();
        let ids = Tensor::from_vec(ids, cells.len(), table.device())?;
        let all = table.index_select(&ids, 0)?.reshape((cells.len() / width, width, size))?;
        return all.broadcast_mul(columns)?.sum(1);
    }
    let filled = cells.iter().enumerate().filter(|c| *c.1 != 0);
    let filled = filled.map(|(i, &v)| Cell { row: i / width, column: i % width, value: v.into() }).collect();
    let op = Embed { filled, rows: cells.len() / width, width, size };
    table.contiguous()?.apply_op2(&columns.contiguous()?, op)
}

struct Cell {
    row: usize,
    column: usize,
    value: usize,
}

struct Embed {
    filled: Vec<Cell>,
    rows: usize,
    width: usize,
    size: usize,
}

impl CustomOp2 for Embed {
    fn name(&self) -> &'static str {
        "embed-cells"
    }

    fn cpu_fwd(
        &self,
        table: &CpuStorage,
        table_layout: &Layout,
        columns: &CpuStorage,
        columns_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (table, columns, size) =
            (values(table, table_layout)?, values(columns, columns_layout)?, self.size);
        let empty = &table[..size];
        // What a row of nothing but 0 gives; the others differ from it in a few cells.
        let mut nothing = vec![0f32; size];
        for column in columns.chunks_exact(size) {
            nothing.iter_mut().zip(column).zip(empty).for_each(|((y, k), e)| *y += k * e);
        }
        let mut out = nothing.repeat(self.rows);
        for cell in &self.filled {
            let y = &mut out[cell.row * size..][..size];
            let (own, column) = (&table[cell.value * size..][..size], &columns[cell.column * size..][..size]);
            for i in 0..size {
                y[i] += (own[i] - empty[i]) * column[i];
            }
        }
        Ok((CpuStorage::F32(out), Shape::from((self.rows, size))))
    }

    fn bwd(
        &self,
        table: &Tensor,
        columns: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (size, grad) = (self.size, grad.contiguous()?);
        let mut d_table = vec![0f32; table.elem_count()];
        let mut d_columns = vec![0f32; self.width * size];
        with(&grad, |grad| {
            with(table, |table| {
                with(columns, |columns| {
                    let mut sum = vec![0f32; size];
                    for g in grad.chunks_exact(size) {
                        sum.iter_mut().zip(g).for_each(|(s, g)| *s += g);
                    }
                    let empty = &table[..size];
                    // Of rows that are all 0; corrected below where there is something.
                    let mut d_empty = vec![0f32; size];
                    for (column, d) in columns.chunks_exact(size).zip(d_columns.chunks_exact_mut(size)) {
                        for i in 0..size {
                            d_empty[i] += sum[i] * column[i];
                            d[i] = sum[i] * empty[i];
                        }
                    }
                    for cell in &self.filled {
                        let g = &grad[cell.row * size..][..size];
                        let column = &columns[cell.column * size..][..size];
                        let own = &table[cell.value * size..][..size];
                        let d_own = &mut d_table[cell.value * size..][..size];
                        let d_column = &mut d_columns[cell.column * size..][..size];
                        for i in 0..size {
                            let d = g[i] * column[i];
                            d_own[i] += d;
                            d_empty[i] -= d;
                            d_column[i] += g[i] * (own[i] - empty[i]);
                        }
                    }
                    d_table[..size].copy_from_slice(&d_empty);
                })
            })
        })???;
        let device = table.device();
        let d_table = Tensor::from_vec(d_table, table.shape(), device)?;
        Ok((Some(d_table), Some(Tensor::from_vec(d_columns, columns.shape(), device)?)))
    }
}

/// `y[i] = states[row of i] * gates[column of i]`, elementwise, for some places (row, column): `states` is (rows, size),
/// `gates` (columns, size); the result (places, size).
///
/// # Errors
/// When the sizes differ or a place lies outside.
pub fn gate_cells(states: &Tensor, gates: &Tensor, places: Arc<[(u32, u32)]>) -> Result<Tensor> {
    let ((rows, size), (columns, size2)) = (states.dims2()?, gates.dims2()?);
    let outside = |&(r, c): &(u32, u32)| r as usize >= rows || c as usize >= columns;
    if size != size2 || places.iter().any(outside) {
        candle_core::bail!("gates: places beyond {rows}x{columns}, or sizes {size} and {size2}");
    }
    if !states.device().is_cpu() {
        let ids = |of: fn(&(u32, u32)) -> u32| {
            Tensor::from_vec(places.iter().map(of).collect::<Vec<_>>(), places.len(), states.device())
        };
        return states.index_select(&ids(|p| p.0)?, 0)? * gates.index_select(&ids(|p| p.1)?, 0)?;
    }
    states.contiguous()?.apply_op2(&gates.contiguous()?, Gate { places, size })
}

struct Gate {
    places: Arc<[(u32, u32)]>,
    size: usize,
}

impl CustomOp2 for Gate {
    fn name(&self) -> &'static str {
        "gate-cells"
    }

    fn cpu_fwd(
        &self,
        states: &CpuStorage,
        states_layout: &Layout,
        gates: &CpuStorage,
        gates_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (states, gates, size) = (values(states, states_layout)?, values(gates, gates_layout)?, self.size);
        let mut out = Vec::with_capacity(self.places.len() * size);
        for &(row, column) in &*self.places {
            let (state, gate) = (&states[row as usize * size..], &gates[column as usize * size..]);
            out.extend(state[..size].iter().zip(&gate[..size]).map(|(s, g)| s * g));
        }
        Ok((CpuStorage::F32(out), Shape::from((self.places.len(), size))))
    }

    fn bwd(
        &self,
        states: &Tensor,
        gates: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (size, grad) = (self.size, grad.contiguous()?);
        let (mut d_states, mut d_gates) = (vec![0f32; states.elem_count()], vec![0f32; gates.elem_count()]);
        with(&grad, |grad| {
            with(states, |states| {
                with(gates, |gates| {
                    for (g, &(row, column)) in grad.chunks_exact(size.max(1)).zip(&*self.places) {
                        let (row, column) = (row as usize * size, column as usize * size);
                        let (state, gate) = (&states[row..][..size], &gates[column..][..size]);
                        let d = &mut d_states[row..][..size];
                        for i in 0..size {
                            d[i] += g[i] * gate[i];
                        }
                        let d = &mut d_gates[column..][..size];
                        for i in 0..size {
                            d[i] += g[i] * state[i];
                        }
                    }
                })
            })
        })???;
        let device = states.device();
        let d_states = Tensor::from_vec(d_states, states.shape(), device)?;
        Ok((Some(d_states), Some(Tensor::from_vec(d_gates, gates.shape(), device)?)))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};
    use rand::{Rng, SeedableRng};
    use rand_pcg::Pcg64;

    use super::super::tests::{assert_close, check_gradient, weigh};
    use super::*;

    fn random(rng: &mut Pcg64, shape: (usize, usize)) -> Var {
        let v: Vec<f32> = (0..shape.0 * shape.1).map(|_| rng.random_range(-1.0..1.0)).collect();
        Var::from_tensor(&Tensor::from_vec(v, shape, &Device::Cpu).unwrap()).unwrap()
    }

    #[test]
    fn embedded_cells_and_their_gradient() {
        let mut rng = Pcg64::seed_from_u64(21);
        let (table, columns) = (random(&mut rng, (5, 3)), random(&mut rng, (4, 3)));
        // Two rows alike, one empty, one full.
        let cells = [0, 2, 0, 4, 0, 2, 0, 4, 0, 0, 0, 0, 1, 3, 2, 2];
        let vars = [table.clone(), columns.clone()];
        check_gradient(&vars, || weigh(&embed_cells(&cells, &table, &columns)?));
        let ids = Tensor::new(&cells.map(u32::from), &Device::Cpu).unwrap();
        let plain = table.index_select(&ids, 0).unwrap().reshape((4, 4, 3)).unwrap();
        let plain = plain.broadcast_mul(&columns).unwrap().sum(1).unwrap();
        assert_close(&plain, &embed_cells(&cells, &table, &columns).unwrap());
        assert!(embed_cells(&cells[1..], &table, &columns).is_err());
        assert!(embed_cells(&[0, 0, 0, 5], &table, &columns).is_err());
    }

    #[test]
    fn gated_cells_and_their_gradient() {
        let mut rng = Pcg64::seed_from_u64(22);
        let (states, gates) = (random(&mut rng, (4, 3)), random(&mut rng, (5, 3)));
        let places: Arc<[(u32, u32)]> = [(0, 0), (0, 4), (3, 4), (2, 1), (2, 1)].into();
        let vars = [states.clone(), gates.clone()];
        check_gradient(&vars, || weigh(&gate_cells(&states, &gates, places.clone())?));
        let y: Vec<Vec<f32>> = gate_cells(&states, &gates, places).unwrap().to_vec2().unwrap();
        let (s, g): (Vec<Vec<f32>>, Vec<Vec<f32>>) = (states.to_vec2().unwrap(), gates.to_vec2().unwrap());
        assert_eq!(y[2], [s[3][0] * g[4][0], s[3][1] * g[4][1], s[3][2] * g[4][2]]);
        assert!(gate_cells(&states, &gates, [(4, 0)].into()).is_err());
    }
}
